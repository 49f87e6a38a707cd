use tracing_subscriber::EnvFilter;

/// The variable that says what is logged, in the form of `RUST_LOG`.
const VARIABLE: &str = "AGW_LOG";

/// Logs to standard error: what `AGW_LOG` says, else our own crates at debug (`-v`) or trace (`-vv`), else nothing.
pub(crate) fn set_up(verbose: u8) {
    let level = match verbose {
        0 => "off",
        1 => "agent_gateway_adapters=debug,agent_gateway_sim=debug",
        _ => "agent_gateway_adapters=trace,agent_gateway_sim=trace,debug",
    };
    let filter = EnvFilter::try_from_env(VARIABLE).unwrap_or_else(|_| EnvFilter::new(level));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(anstream::stderr)
        .init();
}
