use ring::rand::{SystemRandom, generate};

/// A number nobody foresees, of the system's own randomness: tokens are made of it.
///
/// # Panics
/// The system has none.
pub(crate) fn random() -> u64 {
    let bytes = generate(&SystemRandom::new()).expect("the system has randomness");
    u64::from_ne_bytes(bytes.expose())
}
