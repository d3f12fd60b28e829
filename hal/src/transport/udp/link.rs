//! The socket and the protocol of one stream.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use super::StreamEvent;
use crate::transport::{Arq, Datagram, Faults, FaultyLine, HostArq, Packet, Parameters, Ticks};

/// Longest UDP datagram.
const MAX_DATAGRAM: usize = 1 << 16;
/// Datagrams that one stream takes before it is the next one's turn.
const MAX_TURN: usize = 256;

/// One stream.
#[derive(Debug)]
pub(super) struct Link {
    socket: UdpSocket,
    port: u16,
    role: Role,
    peer: Option<SocketAddr>,
    arq: HostArq,
    outgoing: FaultyLine<Vec<u8>>,
    incoming: FaultyLine<(SocketAddr, Vec<u8>)>,
    buffer: Vec<u8>,
    is_broken: bool,
}

/// Which end this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Host,
    /// Takes one host after another.
    Fpga(Parameters),
}

impl Link {
    /// The end of the host.
    pub(super) fn connect(
        peer: SocketAddr,
        parameters: Parameters,
        faults: Faults,
        number: u64,
    ) -> io::Result<Self> {
        let any = match peer.ip() {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        let socket = UdpSocket::bind(SocketAddr::new(any, 0))?;
        socket.connect(peer)?;
        let port = socket.local_addr()?.port();
        // the own port is another one with every stream, and so is the token
        let arq = HostArq::host(parameters, u64::from(port), Ticks(0));
        Self::new(socket, Role::Host, Some(peer), arq, faults, number)
    }

    /// The end of the FPGA.
    pub(super) fn listen(
        own: SocketAddr,
        parameters: Parameters,
        faults: Faults,
        number: u64,
    ) -> io::Result<Self> {
        let socket = UdpSocket::bind(own)?;
        let arq = HostArq::fpga(parameters);
        Self::new(socket, Role::Fpga(parameters), None, arq, faults, number)
    }

    fn new(
        socket: UdpSocket,
        role: Role,
        peer: Option<SocketAddr>,
        arq: HostArq,
        faults: Faults,
        number: u64,
    ) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Self {
            port: socket.local_addr()?.port(),
            socket,
            role,
            peer,
            arq,
            outgoing: FaultyLine::new(faults, 2 * number),
            incoming: FaultyLine::new(faults, 2 * number + 1),
            buffer: vec![0; MAX_DATAGRAM],
            is_broken: false,
        })
    }

    /// The own port.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Packets that are queued or under way.
    pub(super) fn unacknowledged(&self) -> usize {
        self.arq.unacknowledged()
    }

    /// Queues a packet; it is dropped if the stream is not open.
    pub(super) fn send(&mut self, packet: Packet) {
        // whoever sends learns from the events that the stream is not open
        let _ = self.arq.send(packet);
    }

    /// Begins to close the stream. An FPGA just goes away.
    pub(super) fn close(&mut self, now: Ticks) {
        match self.role {
            Role::Host => self.arq.close(now),
            Role::Fpga(_) => self.is_broken = true,
        }
    }

    /// Whether the stream came to its end.
    pub(super) fn is_over(&self) -> bool {
        self.is_broken || self.arq.is_over()
    }

    /// When the next thing happens by itself.
    pub(super) fn deadline(&self) -> Option<Ticks> {
        if self.is_broken {
            return None;
        }
        let deadlines = [self.arq.deadline(), self.outgoing.deadline(), self.incoming.deadline()];
        deadlines.into_iter().flatten().min()
    }

    /// Takes and sends what there is; false if there was nothing.
    pub(super) fn turn(&mut self, now: Ticks, mut happened: impl FnMut(StreamEvent)) -> bool {
        if self.is_broken {
            return false;
        }
        let received = self.receive(now, &mut happened);
        let moved = received.and_then(|received| Ok(self.transmit(now)? || received));
        self.tell(&mut happened);
        moved.unwrap_or_else(|error| {
            // an endpoint that serves others goes on for the next host
            self.is_broken = self.role == Role::Host;
            happened(StreamEvent::Socket(error));
            false
        })
    }

    fn tell(&mut self, happened: &mut impl FnMut(StreamEvent)) {
        while let Some(event) = self.arq.event() {
            happened(StreamEvent::Arq(event));
        }
    }

    fn receive(&mut self, now: Ticks, happened: &mut impl FnMut(StreamEvent)) -> io::Result<bool> {
        for _ in 0..MAX_TURN {
            match self.socket.recv_from(&mut self.buffer) {
                Ok((len, from)) => self.incoming.push(now, (from, self.buffer[..len].to_vec())),
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        let mut moved = false;
        while let Some((from, bytes)) = self.incoming.pop(now) {
            moved = true;
            let is_free = self.arq.is_over() || self.peer != Some(from) && self.arq.is_free();
            if let Role::Fpga(parameters) = self.role
                && is_free
                && Datagram::is_reset(&bytes)
            {
                self.tell(happened);
                self.arq = HostArq::fpga(parameters);
                self.peer = Some(from);
            }
            // datagrams of others are none of this stream
            if self.peer == Some(from) {
                self.arq.receive_bytes(now, &bytes);
            }
        }
        Ok(moved)
    }

    fn transmit(&mut self, now: Ticks) -> io::Result<bool> {
        let mut moved = false;
        while let Some(datagram) = self.arq.transmit(now) {
            self.outgoing.push(now, datagram);
            moved = true;
        }
        while let Some(datagram) = self.outgoing.pop(now) {
            let Some(peer) = self.peer else { continue };
            let sent = match self.role {
                Role::Host => self.socket.send(&datagram),
                Role::Fpga(_) => self.socket.send_to(&datagram, peer),
            };
            match sent {
                // a full buffer loses the datagram, and the protocol sends it again
                Err(e) if !matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                    return Err(e);
                }
                _ => moved = true,
            }
        }
        Ok(moved)
    }
}
