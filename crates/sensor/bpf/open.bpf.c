/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Opens: every write, and reads of watched paths. The path is the kernel's file, never the caller's argument. */
#include "maps.h"
#include "path.h"
#include "stream.h"

enum {
	ACCESS_MODE = 3,
	OPEN_CREATE = 0100,
	OPEN_EXCLUSIVE = 0200,
	OPEN_TRUNCATE = 01000,
	OPEN_PATH = 010000000,
	WATCH_BYTES = 248,      /* of a path compared with the watched prefixes; the trie takes 256 at most */
	WATCH_NAME_BYTES = 32,
	WATCH_LEVELS = 4,       /* of a path, from the file up: `.aws/sso/cache/token.json` */
	REPEAT_NS = 1000000000, /* the same process opening the same file the same way is one event a second */
};

struct open_record {
	struct header header;
	struct open_tail tail;
	char bytes[PATH_BYTES];
};
struct watch_key { u32 bits; char path[WATCH_BYTES]; };
struct watch_name { char name[WATCH_NAME_BYTES]; };
struct open_scratch {
	struct open_record record;
	struct path_buffer path;
	struct watch_key key;
	struct watch_name name;
};
struct {
	__uint(type, MAP_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct open_scratch);
} open_scratches SEC(".maps");

/* Prefixes of paths whose reads are wanted. */
struct {
	__uint(type, MAP_LPM_TRIE);
	__uint(max_entries, 1024);
	__uint(map_flags, NO_PREALLOC);
	__type(key, struct watch_key);
	__type(value, u8);
} watched_prefixes SEC(".maps");

/* Names of files and of their next three folders whose reads are wanted, such as `.ssh`. */
struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 1024);
	__type(key, struct watch_name);
	__type(value, u8);
} watched_names SEC(".maps");

struct opened { u64 exec_id; u64 inode; u32 device; u32 write; };
struct {
	__uint(type, MAP_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct opened);
	__type(value, u64);
} recently_opened SEC(".maps");

inline_always int is_repeat(u64 exec_id, struct open_tail *tail, u32 write)
{
	struct opened key = { .exec_id = exec_id, .inode = tail->inode, .device = tail->device, .write = write };
	u64 now = bpf_ktime_get_boot_ns();
	u64 *last = bpf_map_lookup_elem(&recently_opened, &key);
	if (last && now - *last < REPEAT_NS) {
		count(COUNT_DUPLICATE);
		return 1;
	}
	bpf_map_update_elem(&recently_opened, &key, &now, UPDATE_ANY);
	return 0;
}

inline_always int has_watched_name(struct open_scratch *scratch, struct file *file)
{
	struct dentry *dentry = READ(file, f_path.dentry);
	for (int level = 0; level < WATCH_LEVELS; level++) {
		__builtin_memset(&scratch->name, 0, sizeof(scratch->name));
		bpf_probe_read_kernel_str(scratch->name.name, WATCH_NAME_BYTES, READ(dentry, d_name.name));
		if (bpf_map_lookup_elem(&watched_names, &scratch->name))
			return 1;
		dentry = READ(dentry, d_parent);
	}
	return 0;
}

inline_always int has_watched_prefix(struct open_scratch *scratch)
{
	u32 offset = scratch->path.offset;
	if (offset >= PATH_BYTES)
		return 0;
	u32 length = PATH_BYTES - offset;
	if (length > WATCH_BYTES)
		length = WATCH_BYTES;
	barrier_var(length);
	barrier_var(offset);
	scratch->key.bits = length * 8;
	bpf_probe_read_kernel(scratch->key.path, WATCH_BYTES, &scratch->path.bytes[offset & (PATH_BYTES - 1)]);
	return bpf_map_lookup_elem(&watched_prefixes, &scratch->key) != 0;
}

/* A FIFO or a terminal's driving end: user space needs it to follow streams, rules do not see it. */
inline_always void send_channel(struct task_struct *task, struct file *file, u32 flags, s32 fd)
{
	struct { struct header header; struct channel_tail tail; } record = {};
	struct process_state state = state_of(task);
	fill_header(&record.header, RECORD_CHANNEL, task, &state);
	file_stream(&record.tail.stream, file);
	record.tail.flags = flags;
	record.tail.fd = fd;
	emit_priority(&record.header, sizeof(record.tail));
}

inline_always int is_boring_device(u32 device)
{
	u32 minor = MINOR(device);
	/* null, zero, full, random, urandom */
	return is_terminal(device) || (MAJOR(device) == MAJOR_MEMORY && (minor == MINOR_NULL || minor == 5 || (minor >= 7 && minor <= 9)));
}

/* `syscall` is what rules see as the event's type; `asked` are the flags that the kernel's file forgets. */
inline_always void on_opened(struct task_struct *task, s32 fd, u32 syscall, u32 asked, u32 mode)
{
	u32 zero = 0;
	struct file *file = file_of(task, fd);
	struct inode *inode = READ(file, f_inode);
	u32 kind = READ(inode, i_mode) & KIND_MASK;
	u32 device = READ(inode, i_rdev);
	u32 flags = READ(file, f_flags) | (asked & (OPEN_CREATE | OPEN_EXCLUSIVE | OPEN_TRUNCATE));
	u32 write = (flags & ACCESS_MODE) != 0 || (flags & OPEN_TRUNCATE);
	if (!file || (flags & OPEN_PATH) || READ(task, tgid) == own_tgid)
		return;
	if (kind == KIND_FIFO || (kind == KIND_CHARACTER && device == (MAJOR_TTY << 20 | MINOR_PTMX))) {
		send_channel(task, file, flags, fd);
		return;
	}
	if (kind == KIND_CHARACTER && is_boring_device(device))
		return;
	if (kind == KIND_DIRECTORY || !(wanted & (1 << RECORD_OPEN)))
		return;
	struct open_scratch *scratch = bpf_map_lookup_elem(&open_scratches, &zero);
	if (!scratch)
		return;
	struct open_record *record = &scratch->record;
	int named = write || has_watched_name(scratch, file);
	walk_path(&scratch->path, &file->f_path, task);
	if (!named && !has_watched_prefix(scratch)) {
		count(COUNT_FILTERED);
		return;
	}
	struct process_state state = state_of(task);
	struct super_block *super = READ(inode, i_sb);
	record->tail.inode = READ(inode, i_ino);
	record->tail.device = READ(super, s_dev);
	record->tail.flags = flags;
	record->tail.mode = (flags & OPEN_CREATE) ? mode : 0;
	record->tail.fd = fd;
	record->tail.syscall = syscall;
	if (is_repeat(state.exec_id, &record->tail, write))
		return;
	fill_header(&record->header, RECORD_OPEN, task, &state);
	if (!within_budget(record->header.cgroup))
		return;
	u32 offset = scratch->path.offset;
	if (offset > PATH_BYTES)
		return;
	u32 length = PATH_BYTES - offset;
	barrier_var(length);
	barrier_var(offset);
	length &= PATH_BYTES - 1;
	bpf_probe_read_kernel(record->bytes, length, &scratch->path.bytes[offset & (PATH_BYTES - 1)]);
	record->tail.path_length = length;
	if (scratch->path.truncated)
		record->header.flags |= FLAG_TRUNCATED;
	record->header.result = fd;
	emit_data(&record->header, sizeof(record->tail) + length);
}
