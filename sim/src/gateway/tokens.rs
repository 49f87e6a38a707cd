use std::sync::Arc;

use agent_gateway_machine::{Millis, Timestamp};
use agent_gateway_protocol::{Token, UserId};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use litemap::LiteMap;

/// Every token issued, by its text, and what the gateway makes of it.
///
/// Texts have the shape of the real ones (a JWT of purpose `cli-sandbox`, `exp − iat` its lifetime), so that a client
/// can read their age; they are signed by nobody and open nothing but this gateway.
#[derive(Clone, Debug)]
pub struct TokenBook {
    issued: LiteMap<Arc<str>, Issued>,
    count: u64,
    /// Makes texts differ between books.
    salt: u64,
    /// Milliseconds since 1970 at the clock's origin; goes into `iat`.
    epoch: u64,
}

/// How a token is to be issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenPlan {
    /// Whose it is.
    pub user: UserId,
    /// How long it is good, ms.
    pub lifetime: Millis,
    /// The gateway refuses it with this reason, whatever its age.
    pub refusal: Option<Box<str>>,
    /// Until this much later the gateway's clock takes it for one from the future (`nbf`), ms.
    pub early: Millis,
}

impl TokenPlan {
    /// A token of `user` that is good for 300 s.
    #[must_use]
    pub fn of(user: UserId) -> Self {
        Self {
            user,
            lifetime: Millis::seconds(300),
            refusal: None,
            early: Millis::ZERO,
        }
    }
}

#[derive(Clone, Debug)]
struct Issued {
    user: UserId,
    from: Timestamp,
    until: Timestamp,
    lifetime: Millis,
    refusal: Option<Box<str>>,
}

/// `{"alg":"RS256","kid":"sim"}` as it stands in a token.
const HEADER: &str = "eyJhbGciOiJSUzI1NiIsImtpZCI6InNpbSJ9";

impl TokenBook {
    /// An empty book. `salt` goes into the texts; `epoch` is what the wall clock says, in ms since 1970, when the other
    /// clock reads zero.
    #[must_use]
    pub fn new(salt: u64, epoch: u64) -> Self {
        Self {
            issued: LiteMap::new(),
            count: 0,
            salt,
            epoch,
        }
    }

    /// Makes a token and enters it.
    pub fn issue(&mut self, plan: &TokenPlan, now: Timestamp) -> Token {
        self.count += 1;
        let issued_at = (self.epoch + now.as_millis()) / 1_000;
        let expires_at = issued_at + plan.lifetime.as_millis().div_ceil(1_000);
        // In pieces: sessions are many, and `format!` shows in their time.
        let mut number = itoa::Buffer::new();
        let mut claims = String::with_capacity(128);
        claims.push_str(r#"{"purpose":"cli-sandbox","sub":""#);
        claims.push_str(plan.user.as_str());
        claims.push_str(r#"","iat":"#);
        claims.push_str(number.format(issued_at));
        claims.push_str(r#","exp":"#);
        claims.push_str(number.format(expires_at));
        claims.push('}');
        let mut signature = String::with_capacity(64);
        signature.push_str("sim-");
        signature.push_str(number.format(self.salt));
        signature.push('-');
        signature.push_str(number.format(self.count));
        let mut text = String::with_capacity(256);
        text.push_str(HEADER);
        text.push('.');
        BASE64_URL_SAFE_NO_PAD.encode_string(claims, &mut text);
        text.push('.');
        BASE64_URL_SAFE_NO_PAD.encode_string(signature, &mut text);
        let text: Arc<str> = text.into();
        self.enter(text.clone(), plan, now);
        Token::new(text)
    }

    /// Enters a token made elsewhere, an API key for example.
    pub fn enter(&mut self, text: impl Into<Arc<str>>, plan: &TokenPlan, now: Timestamp) {
        let issued = Issued {
            user: plan.user.clone(),
            from: now.plus(plan.early),
            until: now.plus(plan.lifetime),
            lifetime: plan.lifetime,
            refusal: plan.refusal.clone(),
        };
        self.issued.insert(text.into(), issued);
    }

    /// Lets every token issued so far run out.
    pub fn expire_all(&mut self, now: Timestamp) {
        for (_, issued) in self.issued.iter_mut() {
            issued.until = issued.until.min(now);
        }
    }

    /// Refuses every token issued so far with this reason.
    pub fn refuse_all(&mut self, reason: &str) {
        for (_, issued) in self.issued.iter_mut() {
            issued.refusal = Some(reason.into());
        }
    }

    /// How long a token says it lives (`exp − iat`), ms; `None` if it is none of these.
    #[must_use]
    pub fn lifetime(&self, token: &Token) -> Option<Millis> {
        self.issued
            .get(token.expose())
            .map(|issued| issued.lifetime)
    }

    /// Whose token it is and until when it is good.
    ///
    /// # Errors
    /// The reason for which the gateway refuses it.
    pub fn verify(&self, token: &Token, now: Timestamp) -> Result<(UserId, Timestamp), Box<str>> {
        if token.expose().is_empty() {
            return Err("Missing token".into());
        }
        let Some(issued) = self.issued.get(token.expose()) else {
            return Err("signature verification failed".into());
        };
        if let Some(refusal) = &issued.refusal {
            return Err(refusal.clone());
        }
        if now < issued.from {
            return Err("\"nbf\" claim timestamp check failed".into());
        }
        if now >= issued.until {
            return Err("\"exp\" claim timestamp check failed".into());
        }
        Ok((issued.user.clone(), issued.until))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_between_its_beginning_and_its_end() {
        let mut book = TokenBook::new(1, 0);
        let plan = TokenPlan {
            early: Millis(100),
            ..TokenPlan::of("user".into())
        };
        let token = book.issue(&plan, Timestamp::ZERO);
        let reason = |at| {
            book.verify(&token, Timestamp::from_millis(at))
                .map(|_| ())
                .map_err(|reason| reason.contains("nbf"))
        };
        assert_eq!(reason(99), Err(true));
        assert_eq!(reason(100), Ok(()));
        assert_eq!(reason(299_999), Ok(()));
        assert_eq!(reason(300_000), Err(false));
        let stranger = Token::new("x");
        assert!(book.verify(&stranger, Timestamp::ZERO).is_err());
    }
}
