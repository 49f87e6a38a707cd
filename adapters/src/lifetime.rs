//! How long a token says it lives (S10).

use agent_gateway_machine::Millis;
use agent_gateway_protocol::Token;
use serde::Deserialize;

#[derive(Deserialize)]
struct Claims {
    /// Seconds since 1970; some issuers write fractions.
    iat: f64,
    exp: f64,
}

/// `exp − iat` of a JWT, ms; `None` if the token is none or does not say. The signature is not looked at: whether the
/// token is good is for the gateway to say. Both are the issuer's clock, so ours may be wrong (S10).
pub(crate) fn lifetime(token: &Token) -> Option<Millis> {
    let claims: Claims = jsonwebtoken::dangerous::insecure_decode_claims(token.expose()).ok()?;
    let seconds = claims.exp - claims.iat;
    // Saturates, and NaN becomes 0.
    let millis = (seconds * 1_000.0) as u64;
    (millis > 0).then_some(Millis(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Header `{"alg":"RS256","kid":"k"}` and whatever signature: neither is looked at.
    fn jwt(payload: &str) -> Token {
        Token::new(format!("eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.{payload}.c2ln"))
    }

    #[test]
    fn s10_a_lifetime_is_exp_minus_iat() {
        // {"purpose":"cli-sandbox","sub":"user_1","iat":1760000000,"exp":1760000300}
        let payload = "eyJwdXJwb3NlIjoiY2xpLXNhbmRib3giLCJzdWIiOiJ1c2VyXzEiLCJpYXQiOjE3NjAwMDAwMDAsImV4cCI6MTc2MDAwMDMwMH0";
        assert_eq!(lifetime(&jwt(payload)), Some(Millis::seconds(300)));
    }

    #[test]
    fn s10_a_lifetime_that_cannot_be_read_is_none() {
        // {"sub":"user_1"}
        assert_eq!(lifetime(&jwt("eyJzdWIiOiJ1c2VyXzEifQ")), None);
        // {"iat":300,"exp":100}
        assert_eq!(lifetime(&jwt("eyJpYXQiOjMwMCwiZXhwIjoxMDB9")), None);
        assert_eq!(lifetime(&Token::new("sk-lh-0123456789abcdef")), None);
        assert_eq!(lifetime(&Token::new("")), None);
    }
}
