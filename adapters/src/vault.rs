//! Where the texts of tokens live: the machine names them, the hands hold them.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use agent_gateway_machine::{Millis, TokenGrant, TokenId, TokenKind};
use agent_gateway_protocol::Token;

use crate::lifetime::lifetime;
use crate::redaction::redact;

/// The tokens of one run. What goes out under a [`TokenId`] is filled in from here; nothing in here can be printed.
///
/// It holds the [`Vault::CAPACITY`] latest tokens: a run only ever uses its newest one (I5), and a long run must not
/// grow with every refresh.
#[derive(Default)]
pub struct Vault {
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    minted: u64,
    tokens: VecDeque<(TokenId, Token)>,
}

impl Vault {
    /// How many tokens are held at most.
    pub const CAPACITY: usize = 16;

    /// An empty vault.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a token in and says what the machine may know of it: its name, its kind, and how long it lives, ms, where
    /// that can be read from it (S10).
    pub fn keep(&self, token: Token, kind: TokenKind) -> TokenGrant {
        let lifetime: Option<Millis> = match kind {
            TokenKind::Jwt => lifetime(&token),
            TokenKind::ApiKey => None,
        };
        let mut held = self.lock();
        held.minted += 1;
        let id = TokenId(held.minted);
        if held.tokens.len() == Self::CAPACITY {
            held.tokens.pop_front();
        }
        held.tokens.push_back((id, token));
        TokenGrant { id, kind, lifetime }
    }

    /// The token of this name, if it is still held.
    #[must_use]
    pub fn token(&self, id: TokenId) -> Option<Token> {
        let held = self.lock();
        let (_, token) = held.tokens.iter().rev().find(|(name, _)| *name == id)?;
        Some(token.clone())
    }

    /// Puts `***` wherever `text` has a token that is held (I17).
    pub(crate) fn redact(&self, text: &mut Box<str>) {
        redact(
            text,
            self.lock().tokens.iter().map(|(_, token)| token.expose()),
        );
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        // Nothing in here can panic halfway through a change.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = self.lock();
        let names = held.tokens.iter().map(|(id, token)| (id, token));
        formatter.write_str("Vault ")?;
        formatter.debug_map().entries(names).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i17_a_vault_prints_no_token() {
        let vault = Vault::new();
        vault.keep(Token::new("sk-lh-secret"), TokenKind::ApiKey);
        assert_eq!(format!("{vault:?}"), "Vault {TokenId(1): ***}");
    }

    #[test]
    fn names_are_never_used_twice_and_the_latest_tokens_stay() {
        let vault = Vault::new();
        for index in 0..=Vault::CAPACITY {
            let grant = vault.keep(Token::new(format!("t{index}")), TokenKind::ApiKey);
            assert_eq!(grant.id, TokenId(index as u64 + 1));
        }
        assert_eq!(vault.token(TokenId(1)), None);
        assert_eq!(vault.token(TokenId(2)), Some(Token::new("t1")));
    }
}
