/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Records as they lie in the rings; `src/kernel/decode.rs` reads them. All integers in the machine's byte order. */
#pragma once
#include "vmlinux_min.h"

enum record_type {
	RECORD_EXEC = 1,
	RECORD_FORK = 2,
	RECORD_EXIT = 3,
	RECORD_OPEN = 4,
	RECORD_CONNECT = 5,
	RECORD_STATE = 6,   /* a process that ran before the sensor */
	RECORD_CHANNEL = 7, /* a FIFO or terminal master was opened: how streams continue */
	RECORD_CGROUP = 8,  /* a control group appeared */
	RECORD_CGROUP_GONE = 9,
};

/* 64 bytes before every record. */
struct header {
	u8 type;
	u8 flags;
	u16 cpu;
	u32 length;         /* of the tail in bytes */
	u64 time;           /* boot-time clock, ns */
	u64 exec_id;
	u64 parent_exec_id;
	u64 cgroup;
	u32 tgid;
	u32 tid;
	u32 uid;
	u32 vtgid;          /* tgid inside the process's own PID namespace */
	s32 result;
	u32 sequence;       /* per CPU and ring, also counted where the ring was full */
};
_Static_assert(sizeof(struct header) == 64, "the header is 64 bytes");

enum { FLAG_TRUNCATED = 1 };

enum stream_kind {
	STREAM_UNKNOWN = 0,
	STREAM_CLOSED = 1,
	STREAM_FILE = 2,
	STREAM_NULL = 3,
	STREAM_TERMINAL = 4,
	STREAM_PIPE = 5,
	STREAM_FIFO = 6,
	STREAM_INET = 7,
	STREAM_SOCKET = 8, /* any other family */
	STREAM_MASTER = 9, /* the driving end of a pseudo terminal */
};
enum { DIRECTION_UNKNOWN = 0, DIRECTION_OUT = 1, DIRECTION_IN = 2 };

/* Where one file descriptor leads. */
struct stream {
	u8 kind;
	u8 direction;
	u8 family;          /* 4 or 6 */
	u8 protocol;        /* IPPROTO_* */
	u16 remote_port;
	u16 local_port;
	u64 id;             /* inode; of a terminal the identity of its pair */
	u8 remote[16];
	u8 local[16];
};
_Static_assert(sizeof(struct stream) == 48, "no hidden padding");

struct lineage {
	u64 exec_id;
	struct stream streams[2];
};

enum { ANCESTORS = 4 };

enum {
	EXE_UPPER = 1,       /* lies in the writable layer of an overlay */
	EXE_OVERLAY = 2,
	EXE_NO_LOWER = 8,    /* the overlay has no lower file of that name */
	EXE_LOWER_KNOWN = 16,
	EXE_MEMFD = 32,
};

/* Tail of RECORD_EXEC and RECORD_STATE; then exe path, cwd, argv, of the lengths given. */
struct process_tail {
	u64 start;          /* boot-time clock, ns */
	u64 inode;
	u64 changed;        /* of the inode, epoch ns */
	u64 capabilities[3];
	u32 device;
	u32 exe_flags;
	u32 parent_tgid;
	u32 session;
	u32 gid;
	u32 login_uid;
	u8 terminal;
	u8 ancestors;
	u16 exe_length;
	u16 cwd_length;
	u16 args_length;
	char comm[16];
	struct stream streams[3];
	struct lineage lineage[ANCESTORS];
};

/* Tail of RECORD_OPEN; then the path. */
struct open_tail {
	u64 inode;
	u32 device;
	u32 flags;
	u32 mode;
	s32 fd;
	u32 path_length;
	u32 syscall;
};

/* Tail of RECORD_CHANNEL. */
struct channel_tail {
	struct stream stream;
	u32 flags;
	s32 fd;
};

/* Tail of RECORD_CONNECT. */
struct connect_tail {
	struct stream socket;
	s32 fd;
	u32 terminal;
	struct stream streams[3];
};

/* Tail of RECORD_CGROUP: the path, up to its NUL. */
struct cgroup_tail {
	char path[512];
};

/* Per-CPU counters of records that were not delivered, by class; names in `src/kernel/drops.rs`. */
enum drop_class {
	DROP_PRIORITY_RING = 0,
	DROP_DATA_RING = 1,
	DROP_BUDGET = 2,
	DROP_STATE_FULL = 3,
	DROP_ARGS_UNREADABLE = 4,
	COUNT_DUPLICATE = 5,  /* suppressed on purpose */
	COUNT_FILTERED = 6,
	DROP_CLASSES = 8,
};
