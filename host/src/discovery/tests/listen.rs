//! A backend that tells something and then fails.

use std::sync::atomic::AtomicUsize;

use bitboot_plugin_api::ffi::{Event, Kind as Sort};
use bitboot_plugin_api::{Error, ErrorKind, Held, message};

use super::*;
use crate::backend::Inbox;
use crate::network::{Claim, Identity, Network, Secret, Slot};

struct CutShort(Arc<Place>);

impl Backend for CutShort {
    fn call(&self, op: &str, _body: Vec<u8>, _deadline: Duration) -> Inbox {
        let (sender, events) = mpsc::channel(Inbox::DEPTH);
        let claim = Claim {
            endpoints: vec!["10.0.0.1:1".parse().unwrap()],
            lifetime: Duration::from_secs(3600),
            ..Claim::default()
        };
        let record = Record::sign(&Identity::new(&[1; 32]), self.0.binding(), &claim, clock()).unwrap();
        let at = if op == "read" { self.0.slot(Slot::ROOT) } else { self.0.locator().clone() };
        let (bundle, _) = self.0.seal(&at, slots::nonce(), std::iter::once(&record), 10_000);
        let told = match op {
            "read" => Event { kind: Sort::Held, body: message::encode(&Held::new(bundle, 1)) },
            _ => Event { kind: Sort::Value, body: bundle },
        };
        let failed = message::encode(&Error::new(ErrorKind::TimedOut, "it took too long"));
        let waiting = Arc::new(AtomicUsize::new(told.body.len() + failed.len()));
        sender.try_send(told).unwrap();
        sender.try_send(Event { kind: Sort::Failed, body: failed }).unwrap();
        Inbox::new(events, waiting, ())
    }
}

#[tokio::test]
async fn what_was_told_before_a_failure_is_handed_on() {
    let network = Network::with_secret("crowd", Secret::new([7; 32])).unwrap();
    let place = Arc::new(Place::new(&network, "store", Epoch::at(clock())));
    let (sender, mut heard) = mpsc::channel(100);
    let backend = Arc::new(CutShort(Arc::clone(&place)));
    let (deadline, caps) = (Instant::now() + Duration::from_secs(60), Caps::new(Stores::Endpoints, 60));
    let listener = Listener::new("cut", backend, sender, deadline, clock(), &caps);
    let (.., ended) = listener.clone().addresses_and_values(Arc::clone(&place)).await;
    assert!(ended.is_err());
    assert!(matches!(heard.try_recv(), Ok(Heard::Records { records, .. }) if records.len() == 1));
    let (_, ended) = slots::walk(listener, place).await;
    assert!(ended.is_err());
    assert!(matches!(heard.try_recv(), Ok(Heard::Records { records, .. }) if records.len() == 1));
}
