use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use super::{Lab, Spec};
use crate::dht::Id;
use crate::dht::krpc::{self, Ask, Asking, Body, Contacts, Message, contacts};

/// Somebody outside the network who asks by hand.
struct Outsider(UdpSocket);

/// Longer than a loaded machine takes, shorter than a test may.
const PATIENCE: Duration = Duration::from_secs(5);

impl Outsider {
    /// At an address that no other test has, so that what is counted is its own.
    fn at(ip: &str) -> Self {
        let socket = UdpSocket::bind((ip, 0)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(socket)
    }

    fn ask(&self, node: SocketAddr, ask: &Ask<'_>) {
        let id = Id([7; 20]);
        let asking = Asking { transaction: b"xy", id: &id, read_only: true, both: false, token: None };
        self.0.send_to(&krpc::query(asking, ask), node).unwrap();
    }

    /// Who has answered, and which nodes are told of; `None` when nobody answers.
    fn hear(&self) -> Option<(SocketAddr, Id, Vec<SocketAddr>)> {
        let mut buffer = [0; 2000];
        let (length, from) = self.0.recv_from(&mut buffer).ok()?;
        let message = Message::read(&buffer[..length]).unwrap();
        assert_eq!(message.transaction, b"xy");
        let Body::Reply(reply) = message.body else { panic!("{message:?}") };
        let v4 = contacts(reply.nodes, Contacts::V4);
        let nodes = v4.chain(contacts(reply.nodes6, Contacts::V6)).map(|contact| contact.at).collect();
        Some((from, reply.id, nodes))
    }

    fn count_answers(&self) -> usize {
        self.0.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        std::iter::from_fn(|| self.hear()).count()
    }
}

async fn lab(spec: Spec) -> Lab {
    Lab::start(&spec).await.unwrap()
}

#[tokio::test]
async fn two_hundred_nodes_are_soon_there_and_know_each_other() {
    let start = Instant::now();
    let lab = lab(Spec { nodes: 200, ..Spec::default() }).await;
    let took = start.elapsed();
    assert!(took < Duration::from_secs(10), "{took:?}");
    let all: HashSet<_> = lab.addresses().iter().copied().collect();
    assert_eq!((all.len(), lab.bootstrap()), (200, &lab.addresses()[..3]));
    if cfg!(target_os = "linux") {
        assert_eq!(all.iter().map(SocketAddr::ip).collect::<HashSet<_>>().len(), 200);
    }
    let outsider = Outsider::at("127.0.0.1");
    let target = Id([42; 20]);
    for ask in [Ask::FindNode(target), Ask::GetPeers(target)] {
        for node in lab.addresses() {
            outsider.ask(*node, &ask);
            let (from, _, nodes) = outsider.hear().unwrap();
            assert_eq!(from, *node);
            assert!(nodes.len() == 8 && nodes.iter().all(|told| all.contains(told) && told != node));
        }
    }
}

#[tokio::test]
async fn an_answer_takes_the_round_trip() {
    let lab = lab(Spec { nodes: 10, rtt_ms: 300.0, ..Spec::default() }).await;
    let outsider = Outsider::at("127.0.0.1");
    let rtt = Duration::from_millis(300);
    let trips = lab.addresses().iter().map(|node| {
        let start = Instant::now();
        outsider.ask(*node, &Ask::Ping);
        outsider.hear().unwrap();
        start.elapsed()
    });
    let trips: Vec<_> = trips.collect();
    assert!(trips.iter().all(|trip| *trip >= rtt), "{trips:?}");
    assert!(trips.iter().any(|trip| *trip < rtt * 2), "{trips:?}");
    // They are held back beside each other, not one after the other.
    let start = Instant::now();
    lab.addresses().iter().for_each(|node| outsider.ask(*node, &Ask::Ping));
    lab.addresses().iter().for_each(|_| drop(outsider.hear().unwrap()));
    assert!((rtt..rtt * 8).contains(&start.elapsed()), "{:?}", start.elapsed());
}

#[tokio::test]
async fn the_dead_are_known_and_do_not_answer() {
    let lab = lab(Spec { nodes: 10, dead: 10, ..Spec::default() }).await;
    let outsider = Outsider::at("127.0.0.1");
    let mut told_of = HashSet::new();
    for node in lab.addresses() {
        outsider.ask(*node, &Ask::FindNode(Id([1; 20])));
        told_of.extend(outsider.hear().unwrap().2);
        outsider.ask(*node, &Ask::FindNode(Id([0xfe; 20])));
        told_of.extend(outsider.hear().unwrap().2);
    }
    assert_eq!((lab.addresses().len(), lab.dead().len()), (10, 10));
    assert!(lab.dead().iter().any(|dead| told_of.contains(dead)));
    lab.dead().iter().for_each(|dead| outsider.ask(*dead, &Ask::Ping));
    assert_eq!(outsider.count_answers(), 0);
}

#[tokio::test]
async fn what_goes_in_and_out_is_counted() {
    let outsider = Outsider::at(if cfg!(target_os = "linux") { "127.0.77.1" } else { "127.0.0.1" });
    let ip = outsider.0.local_addr().unwrap().ip();
    let lab = lab(Spec { nodes: 10, dead: 5, loss: 0.3, seed: Some(1), ..Spec::default() }).await;
    assert_eq!(lab.traffic(ip).received, 0);
    for node in lab.addresses().iter().chain(lab.dead()).cycle().take(600) {
        outsider.ask(*node, &Ask::Ping);
    }
    let answers = outsider.count_answers();
    // 400 were to living ones; 49 of 100 get through both ways.
    assert!((140..250).contains(&answers), "{answers}");
    let traffic = lab.traffic(ip);
    assert_eq!((traffic.received, traffic.sent), (600, answers as u64));
    assert_eq!(lab.traffic("127.0.77.2".parse().unwrap()).received, 0);
}

#[tokio::test]
async fn two_networks_stand_beside_each_other() {
    let spec = Spec { nodes: 100, seed: Some(9), ..Spec::default() };
    let (one, two) = (lab(spec.clone()).await, lab(spec).await);
    let all: HashSet<_> = one.addresses().iter().chain(two.addresses()).collect();
    assert_eq!((all.len(), one.seed(), two.seed()), (200, 9, 9));
    let outsider = Outsider::at("127.0.0.1");
    let ids = [&one, &two].map(|lab| {
        let ids = lab.addresses().iter().map(|node| {
            outsider.ask(*node, &Ask::FindNode(Id([3; 20])));
            let (_, id, nodes) = outsider.hear().unwrap();
            assert!(nodes.iter().all(|node| lab.addresses().contains(node)));
            id
        });
        ids.collect::<Vec<_>>()
    });
    assert_eq!(ids[0], ids[1]);
}

#[tokio::test]
async fn what_is_dropped_is_gone() {
    for rtt_ms in [0.0, 60_000.0] {
        let lab = lab(Spec { nodes: 50, dead: 5, rtt_ms, ..Spec::default() }).await;
        let all = [lab.addresses(), lab.dead()].concat();
        // So that an answer is under way.
        Outsider::at("127.0.0.1").ask(all[0], &Ask::Ping);
        assert!(all.iter().all(|at| UdpSocket::bind(at).is_err()));
        drop(lab);
        assert!(all.iter().all(|at| UdpSocket::bind(at).is_ok()));
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_strict_network_tells_a_stranger_no_more_than_was_asked() {
    let outsider = Outsider::at("127.0.77.3");
    for (strict, told) in [(false, 8), (true, 0)] {
        let lab = lab(Spec { nodes: 50, strict, ..Spec::default() }).await;
        outsider.ask(lab.addresses()[0], &Ask::FindNode(Id([5; 20])));
        let (_, _, nodes) = outsider.hear().unwrap();
        assert_eq!(nodes.len(), told, "strict: {strict}");
    }
}

#[tokio::test]
async fn ipv6_is_a_network_too() {
    let Ok(outsider) = UdpSocket::bind("[::1]:0") else { return };
    outsider.set_read_timeout(Some(PATIENCE)).unwrap();
    let outsider = Outsider(outsider);
    let lab = lab(Spec { nodes: 20, ipv6: true, ..Spec::default() }).await;
    let one: IpAddr = "::1".parse().unwrap();
    assert!(lab.addresses().iter().all(|at| at.ip() == one));
    outsider.ask(lab.addresses()[0], &Ask::GetPeers(Id([5; 20])));
    let (_, _, nodes) = outsider.hear().unwrap();
    assert!(nodes.len() == 8 && nodes.iter().all(|node| lab.addresses().contains(node)));
    assert_eq!((lab.traffic(one).received, lab.traffic(one).sent), (1, 1));
}
