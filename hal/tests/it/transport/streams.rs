//! Who gets the FPGAs: one host at a time, and the next one when it is gone.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use hal::coord::{Coordinate as _, FpgaOnWafer};
use hal::transport::{
    ArqError, ArqEvent, Datagram, Faults, Frame, Packet, PacketType, Parameters, StreamEvent,
    Streams,
};

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// The next event of every stream.
fn next_of_all(streams: &Streams) -> Vec<ArqEvent> {
    let mut next = vec![None; FpgaOnWafer::SIZE];
    while next.contains(&None) {
        match streams.event(Duration::from_mins(1)).unwrap() {
            Some((fpga, StreamEvent::Arq(event))) => {
                assert_eq!(next[fpga.index()].replace(event), None, "{fpga}: two events");
            }
            other => panic!("{other:?}"),
        }
    }
    next.into_iter().flatten().collect()
}

fn listen(parameters: Parameters) -> (Streams, SocketAddr) {
    let (streams, first) = Streams::listen(LOCALHOST, 0, parameters, Faults::NONE).unwrap();
    (streams, SocketAddr::new(LOCALHOST, first))
}

#[test]
fn a_second_host_gets_no_answer_until_the_first_one_has_closed() {
    let (wafer, address) = listen(Parameters::SHARED);
    let opened = vec![ArqEvent::Opened; FpgaOnWafer::SIZE];
    let connect = |parameters| Streams::connect(address, parameters, Faults::NONE).unwrap();
    let first = connect(Parameters::SHARED);
    assert_eq!(next_of_all(&first), opened);
    assert_eq!(next_of_all(&wafer), opened);

    let within = 300_000;
    let second = connect(Parameters { open_within: within, ..Parameters::SHARED });
    let refused = ArqEvent::Failed(ArqError::NoAnswer { within });
    assert_eq!(next_of_all(&second), vec![refused; FpgaOnWafer::SIZE]);

    // the first one has not noticed any of it
    let packet = Packet::new(PacketType::HICANN_CONFIG, [42]);
    for fpga in FpgaOnWafer::all() {
        first.send(fpga, packet.clone()).unwrap();
    }
    assert_eq!(next_of_all(&wafer), vec![ArqEvent::Received(packet); FpgaOnWafer::SIZE]);
    drop(first);
    assert_eq!(next_of_all(&wafer), vec![ArqEvent::Closed; FpgaOnWafer::SIZE]);
    let third = connect(Parameters::SHARED);
    assert_eq!((next_of_all(&third), next_of_all(&wafer)), (opened.clone(), opened));
}

#[test]
fn a_host_that_dies_makes_room() {
    let dead_after = 500_000;
    let (wafer, address) =
        listen(Parameters { dummy_after: 100_000, dead_after, ..Parameters::SHARED });
    // hosts that open the streams and are never heard of again
    for fpga in FpgaOnWafer::all() {
        let socket = UdpSocket::bind((LOCALHOST, 0)).unwrap();
        socket.connect((LOCALHOST, address.port() + fpga.index() as u16)).unwrap();
        socket.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        socket.send(&Datagram::Reset.encode()).unwrap();
        let mut limits = [0; 100];
        let length = socket.recv(&mut limits).unwrap();
        let Ok(Datagram::Frame(frame)) = Datagram::decode(&limits[..length]) else { panic!() };
        assert_eq!(frame.packet, Packet::new(PacketType::CONFIGURATION, [256, 128, 180, 0]));
        let packet = Packet::new(PacketType::LOOPBACK, [7]);
        let answer = Datagram::Frame(Frame { ack: frame.sequence, sequence: 0, packet });
        socket.send(&answer.encode()).unwrap();
    }
    // the next host asks again and again until there is room
    let next = Streams::connect(address, Parameters::SHARED, Faults::NONE).unwrap();
    let opened = vec![ArqEvent::Opened; FpgaOnWafer::SIZE];
    assert_eq!(next_of_all(&next), opened);
    // each endpoint heard of the first host, of its death, and of the next one
    let mut heard = vec![Vec::new(); FpgaOnWafer::SIZE];
    while heard.iter().any(|h| h.len() < 3) {
        match wafer.event(Duration::from_mins(1)).unwrap() {
            Some((fpga, StreamEvent::Arq(event))) => heard[fpga.index()].push(event),
            other => panic!("{other:?}"),
        }
    }
    let death = ArqEvent::Failed(ArqError::Dead { within: dead_after });
    let expected = vec![ArqEvent::Opened, death, ArqEvent::Opened];
    assert!(heard.iter().all(|h| *h == expected), "{heard:?}");
}
