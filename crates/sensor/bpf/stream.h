/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Where a file descriptor leads. Which side connected a TCP socket is noted while it happens. */
#pragma once
#include "maps.h"

enum {
	KIND_MASK = 0170000,
	KIND_FIFO = 0010000,
	KIND_CHARACTER = 0020000,
	KIND_DIRECTORY = 0040000,
	KIND_BLOCK = 0060000,
	KIND_REGULAR = 0100000,
	KIND_SOCKET = 0140000,
	MAGIC_PIPEFS = 0x50495045,
	FAMILY_INET = 2,
	FAMILY_INET6 = 10,
	TCP_STATE_ESTABLISHED = 1,
	TCP_STATE_SYN_SENT = 2,
	TCP_STATE_SYN_RECV = 3,
	TCP_STATE_CLOSE = 7,
	TYPE_STREAM = 1,
	TYPE_DATAGRAM = 2,
	PROTOCOL_TCP = 6,
};

#define MAJOR(device) ((device) >> 20)
#define MINOR(device) ((device) & 0xfffff)
enum { MAJOR_MEMORY = 1, MAJOR_VIRTUAL_TERMINAL = 4, MAJOR_TTY = 5, MAJOR_PTS_FIRST = 136, MAJOR_PTS_LAST = 143 };
enum { MINOR_NULL = 3, MINOR_PTMX = 2 };

/* Keyed by the socket's address; forgotten when it closes. */
struct {
	__uint(type, MAP_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, u64);
	__type(value, u8);
} directions SEC(".maps");

inline_always int is_terminal(u32 device)
{
	u32 major = MAJOR(device);
	return major == MAJOR_VIRTUAL_TERMINAL || major == MAJOR_TTY ||
	       (major >= MAJOR_PTS_FIRST && major <= MAJOR_PTS_LAST);
}

inline_always void socket_stream(struct stream *stream, struct sock *sk)
{
	u16 family = READ(sk, __sk_common.skc_family);
	if (family != FAMILY_INET && family != FAMILY_INET6)
		return;
	stream->kind = STREAM_INET;
	stream->protocol = READ(sk, sk_protocol);
	stream->remote_port = big_endian16(READ(sk, __sk_common.skc_dport));
	stream->local_port = READ(sk, __sk_common.skc_num);
	if (family == FAMILY_INET) {
		stream->family = 4;
		bpf_probe_read_kernel(stream->remote, 4, &sk->__sk_common.skc_daddr);
		bpf_probe_read_kernel(stream->local, 4, &sk->__sk_common.skc_rcv_saddr);
	} else {
		stream->family = 6;
		bpf_probe_read_kernel(stream->remote, 16, &sk->__sk_common.skc_v6_daddr);
		bpf_probe_read_kernel(stream->local, 16, &sk->__sk_common.skc_v6_rcv_saddr);
	}
	u64 key = (u64)sk;
	u8 *direction = bpf_map_lookup_elem(&directions, &key);
	if (direction)
		stream->direction = *direction;
	else if (READ(sk, sk_type) == TYPE_DATAGRAM && stream->remote_port)
		stream->direction = DIRECTION_OUT; /* only connect(2) gives a datagram socket a peer */
}

/* `stream` must be zeroed. */
inline_always void file_stream(struct stream *stream, struct file *file)
{
	if (!file) {
		stream->kind = STREAM_CLOSED;
		return;
	}
	struct inode *inode = READ(file, f_inode);
	struct super_block *super = READ(inode, i_sb);
	u32 kind = READ(inode, i_mode) & KIND_MASK;
	u32 device = READ(inode, i_rdev);
	void *private_data = READ(file, private_data);
	stream->id = READ(inode, i_ino);
	stream->kind = STREAM_FILE;
	if (kind == KIND_FIFO) {
		stream->kind = READ(super, s_magic) == MAGIC_PIPEFS ? STREAM_PIPE : STREAM_FIFO;
		if (stream->kind == STREAM_FIFO)
			stream->id ^= (u64)READ(super, s_dev) << 40;
	} else if (kind == KIND_SOCKET) {
		stream->kind = STREAM_SOCKET;
		socket_stream(stream, READ((struct socket *)private_data, sk));
	} else if (kind == KIND_CHARACTER && device == (MAJOR_MEMORY << 20 | MINOR_NULL)) {
		stream->kind = STREAM_NULL;
	} else if (kind == KIND_CHARACTER && is_terminal(device)) {
		struct tty_struct *tty = READ((struct tty_file_private *)private_data, tty);
		int master = device == (MAJOR_TTY << 20 | MINOR_PTMX);
		stream->kind = master ? STREAM_MASTER : STREAM_TERMINAL;
		stream->id = master ? (u64)tty : (u64)READ(tty, link);
	}
}

inline_always struct file *file_of(struct task_struct *task, u32 fd)
{
	struct files_struct *files = READ(task, files);
	struct fdtable *table = READ(files, fdt);
	struct file **slots = READ(table, fd);
	struct file *file = 0;
	if (fd < READ(table, max_fds))
		bpf_probe_read_kernel(&file, sizeof(file), slots + fd);
	return file;
}
