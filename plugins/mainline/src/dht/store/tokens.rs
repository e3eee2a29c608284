use std::net::IpAddr;
use std::time::{Duration, Instant};

use sha1::{Digest, Sha1};

/// The tokens that are given to who asks, and asked from who wants something stored (BEP 5).
///
/// A token is the first 8 bytes of the SHA-1 of a secret and the address, without the port: nothing is remembered of
/// whom it was given to. It is good for 5 to 10 minutes.
pub(crate) struct Tokens {
    current: [u8; 16],
    previous: [u8; 16],
    turned: Instant,
}

/// How long a secret makes tokens; for as long again those are still taken (BEP 5).
const PERIOD: Duration = Duration::from_secs(5 * 60);

impl Tokens {
    /// With a first secret, which has to come from where nobody can foresee it: not from the generator whose numbers
    /// are shown to everyone as ids and transactions.
    pub(crate) fn new(secret: [u8; 16], now: Instant) -> Self {
        // No token was ever made with the one that follows, so it does not matter that it is taken.
        Self { current: secret, previous: after(&secret, 0), turned: now }
    }

    /// The token for who asks from this address.
    pub(crate) fn give(&self, ip: IpAddr) -> [u8; 8] {
        token(&self.current, ip)
    }

    /// Whether the token was given to this address within the last 5 to 10 minutes.
    ///
    /// Takes equally long whichever byte is wrong.
    pub(crate) fn accepts(&self, ip: IpAddr, shown: &[u8]) -> bool {
        let Ok(shown) = <&[u8; 8]>::try_from(shown) else { return false };
        let fits = |secret| {
            let good = token(secret, ip);
            good.iter().zip(shown).fold(0, |apart, (good, shown)| apart | (good ^ shown)) == 0
        };
        fits(&self.current) | fits(&self.previous)
    }

    /// Turns to a new secret when its time has come. To be called before tokens are given or looked at.
    pub(crate) fn turn(&mut self, now: Instant, chance: &mut fastrand::Rng) {
        let age = now.saturating_duration_since(self.turned);
        if age < PERIOD {
            return;
        }
        let next = after(&self.current, chance.u64(..));
        // After a long sleep the current secret's last tokens are too old, too.
        self.previous = if age < 2 * PERIOD { self.current } else { after(&next, chance.u64(..)) };
        self.current = next;
        self.turned = now;
    }
}

fn token(secret: &[u8; 16], ip: IpAddr) -> [u8; 8] {
    let hash = Sha1::new().chain_update(secret);
    // One host is one address, whether or not the socket shows IPv4 in the form of IPv6.
    let hash = match ip.to_canonical() {
        IpAddr::V4(ip) => hash.chain_update(ip.octets()),
        IpAddr::V6(ip) => hash.chain_update(ip.octets()),
    };
    head(hash)
}

/// Another secret. It follows from the one before, so that it stays secret even if all of chance were known.
/// What is hashed has 24 bytes, which no token has: those have 20 or 32.
fn after(secret: &[u8; 16], chance: u64) -> [u8; 16] {
    head(Sha1::new().chain_update(secret).chain_update(chance.to_be_bytes()))
}

fn head<const LENGTH: usize>(hash: Sha1) -> [u8; LENGTH] {
    let hash = hash.finalize();
    std::array::from_fn(|at| hash[at])
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_token_is_for_one_address_and_one_secret() {
        let now = Instant::now();
        let (tokens, others) = (Tokens::new([1; 16], now), Tokens::new([2; 16], now));
        for own in ["203.0.113.7", "2001:db8::7"] {
            let token = tokens.give(ip(own));
            assert!(tokens.accepts(ip(own), &token));
            assert!(!tokens.accepts(ip("203.0.113.8"), &token));
            assert!(!others.accepts(ip(own), &token));
        }
        assert_eq!(tokens.give(ip("203.0.113.7")), tokens.give(ip("::ffff:203.0.113.7")));
    }

    #[test]
    fn it_is_the_head_of_a_sha_1() {
        let whole = Sha1::digest([&[1_u8; 16][..], &[203, 0, 113, 7]].concat());
        let tokens = Tokens::new([1; 16], Instant::now());
        assert_eq!(tokens.give(ip("203.0.113.7"))[..], whole[..8]);
    }

    #[test]
    fn what_is_no_token_is_not_accepted() {
        let tokens = Tokens::new([1; 16], Instant::now());
        let at = ip("203.0.113.7");
        let token = tokens.give(at);
        for place in 0..8 {
            let mut wrong = token;
            wrong[place] ^= 1;
            assert!(!tokens.accepts(at, &wrong), "{place}");
        }
        assert!(!tokens.accepts(at, b"") && !tokens.accepts(at, &token[..7]));
        assert!(!tokens.accepts(at, &[&token[..], b"x"].concat()));
    }

    #[test]
    fn tokens_are_good_for_5_to_10_minutes() {
        let (start, mut chance, at) = (Instant::now(), fastrand::Rng::with_seed(1), ip("203.0.113.7"));
        for given in 0..15 {
            let mut tokens = Tokens::new([1; 16], start);
            let (mut token, mut good_for) = ([0; 8], 0);
            for minute in 0..40 {
                tokens.turn(start + minute * MINUTE, &mut chance);
                if minute == given {
                    token = tokens.give(at);
                }
                if minute >= given && tokens.accepts(at, &token) {
                    assert_eq!(good_for, minute - given, "good again");
                    good_for += 1;
                }
            }
            assert!((5..=10).contains(&good_for), "{good_for}");
        }
    }

    #[test]
    fn a_long_sleep_ends_all_tokens() {
        let (start, mut chance, at) = (Instant::now(), fastrand::Rng::with_seed(1), ip("203.0.113.7"));
        let mut tokens = Tokens::new([1; 16], start);
        let token = tokens.give(at);
        tokens.turn(start + 10 * MINUTE, &mut chance);
        assert!(!tokens.accepts(at, &token) && tokens.accepts(at, &tokens.give(at)));
    }

    #[test]
    fn the_next_secret_is_no_matter_of_chance_alone() {
        let (start, at) = (Instant::now(), ip("203.0.113.7"));
        let [one, other] = [1, 2].map(|secret| {
            let mut tokens = Tokens::new([secret; 16], start);
            tokens.turn(start + PERIOD, &mut fastrand::Rng::with_seed(1));
            tokens.give(at)
        });
        assert_ne!(one, other);
    }
}
