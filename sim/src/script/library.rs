/// A script that comes with this crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LibraryScript {
    /// Its name: the file's, without `.json`.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

macro_rules! library {
    ($($name:literal)*) => {
        /// Every script that comes with this crate, by name.
        pub const LIBRARY: &[LibraryScript] = &[
            $(LibraryScript {
                name: $name,
                text: include_str!(concat!("../../scripts/", $name, ".json")),
            },)*
        ];
    };
}

library! {
    "aged_token"
    "approved"
    "attach_superseded"
    "attach_to_restarted"
    "attach_when_over"
    "attached"
    "attached_from_cursor"
    "auth_never_answered"
    "auth_refused"
    "authentication_timeout"
    "buffer_cut"
    "busy_attach"
    "certificate_refused"
    "clock_set_back"
    "clock_set_forward"
    "close_4321"
    "close_is_no_end"
    "confirmation"
    "counter_restarted"
    "cut_and_resumed"
    "demo"
    "detach_during_the_grace"
    "detached"
    "dial_never_ends"
    "echo_of_a_member"
    "end_beats_stop"
    "end_with_error"
    "end_without_reason"
    "expired_twice"
    "forgotten"
    "forgotten_on_attach"
    "frame_too_big"
    "fresh_tokens_refused"
    "gateway_unreachable"
    "good_run"
    "hibernated"
    "hole_in_the_seam"
    "input_requested"
    "keeps_trying_after_success"
    "late_news"
    "late_refresh_after_detach"
    "late_refresh_after_end"
    "live_overtakes_replay"
    "lost_while_refreshing"
    "marker_of_another"
    "messages_fail"
    "mirrored_member"
    "model_error"
    "network_delayed"
    "noise"
    "offline_and_back"
    "old_gateway"
    "old_server_marker"
    "opens_and_closes"
    "over_when_back"
    "own_token_is_the_only_one"
    "own_token_renewed"
    "own_token_slow_to_come"
    "parked_for_human"
    "passive_watcher"
    "policy_violation"
    "quiet_run"
    "refresh_network_error"
    "refresh_never_answered"
    "refresh_refused"
    "refresh_retried"
    "refresh_says_over"
    "replay_with_the_cursor"
    "restored"
    "restored_while_starting"
    "result_into_half_open"
    "result_while_reconnecting"
    "session_complete_alone"
    "silent_peer"
    "slow_reader"
    "socket_interrupt"
    "start_html_page"
    "start_lost"
    "start_never_answered"
    "start_refused_softly"
    "start_unauthorized"
    "start_without_token"
    "stop_before_reply"
    "stop_during_messages"
    "stop_fails_then_works"
    "stop_mid_stream"
    "stop_unconfirmed"
    "stop_without_reply"
    "token_from_the_future"
    "token_refreshed"
    "tool_answered_twice"
    "tool_call"
    "tool_done_in_the_replay"
    "tool_error"
    "tool_never_asked"
    "tool_seen_again"
    "tool_too_late"
    "tool_unknown"
    "tool_withdrawn"
    "unknown_cursor"
    "unknown_to_all"
    "upgrade_busy"
    "upgrade_refused"
    "waits_for_async_tool"
    "watchdog"
    "woken_to_a_close"
    "woken_to_silence"
}

/// The script of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static LibraryScript> {
    LIBRARY.iter().find(|script| script.name == name)
}
