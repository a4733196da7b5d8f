/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Connections: which side began each TCP connection, and every connect of an internet socket. */
#include "maps.h"
#include "stream.h"

enum { IN_PROGRESS = -115 };

struct connect_record {
	struct header header;
	struct connect_tail tail;
};
struct {
	__uint(type, MAP_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct connect_record);
} connect_scratches SEC(".maps");

SEC("tp_btf/inet_sock_set_state")
int on_tcp_state(u64 *ctx)
{
	u64 sk = ctx[0];
	int before = ctx[1], after = ctx[2];
	u8 direction = DIRECTION_OUT;
	if (after == TCP_STATE_SYN_SENT) {
		bpf_map_update_elem(&directions, &sk, &direction, UPDATE_ANY);
	} else if (after == TCP_STATE_ESTABLISHED && before == TCP_STATE_SYN_RECV) {
		/* A peer that answers SYN with SYN brings a socket that connected here: it stays outbound. */
		direction = DIRECTION_IN;
		bpf_map_update_elem(&directions, &sk, &direction, UPDATE_NOEXIST);
	} else if (after == TCP_STATE_CLOSE) {
		bpf_map_delete_elem(&directions, &sk);
	}
	return 0;
}

/* A refused socket has lost its peer: it is taken from the caller's argument then. */
inline_always void peer_from_argument(struct stream *stream, const void *address)
{
	struct { u16 family; u16 port; u8 v4[4]; u8 v6[16]; } wanted_peer = {};
	if (bpf_probe_read_user(&wanted_peer, sizeof(wanted_peer), address) &&
	    bpf_probe_read_user(&wanted_peer, 8, address))
		return;
	stream->remote_port = big_endian16(wanted_peer.port);
	if (wanted_peer.family == FAMILY_INET) {
		stream->family = 4;
		__builtin_memcpy(stream->remote, wanted_peer.v4, 4);
	} else if (wanted_peer.family == FAMILY_INET6) {
		stream->family = 6;
		__builtin_memcpy(stream->remote, wanted_peer.v6, 16);
	}
}

inline_always void on_connected(struct task_struct *task, s32 fd, const void *address, s64 result)
{
	u32 zero = 0;
	if (!(wanted & (1 << RECORD_CONNECT)))
		return;
	struct connect_record *record = bpf_map_lookup_elem(&connect_scratches, &zero);
	if (!record)
		return;
	__builtin_memset(&record->tail, 0, sizeof(record->tail));
	file_stream(&record->tail.socket, file_of(task, fd));
	if (record->tail.socket.kind != STREAM_INET)
		return;
	if (record->tail.socket.remote_port == 0)
		peer_from_argument(&record->tail.socket, address);
	if (record->tail.socket.remote_port == 0)
		return; /* AF_UNSPEC dissolves an association */
	struct process_state state = state_of(task);
	fill_header(&record->header, RECORD_CONNECT, task, &state);
	if (!within_budget(record->header.cgroup))
		return;
	record->header.result = result;
	record->tail.fd = fd;
	for (int i = 0; i < 3; i++)
		file_stream(&record->tail.streams[i], file_of(task, i));
	emit_data(&record->header, sizeof(record->tail));
}
