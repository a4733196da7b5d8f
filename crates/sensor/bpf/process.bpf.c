/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Processes: fork, exec, exit, and those that ran before the sensor. */
#include "maps.h"
#include "path.h"
#include "stream.h"

enum {
	ARGS_BYTES = 2048, /* longer argument vectors are marked truncated */
	CWD_BYTES = 512,
	MAGIC_OVERLAY = 0x794c7630,
	MAGIC_TMPFS = 0x01021994,
	MAX_LOWER = 500,   /* OVL_MAX_STACK */
};

struct process_record {
	struct header header;
	struct process_tail tail;
	char bytes[PATH_BYTES + CWD_BYTES + ARGS_BYTES];
};
struct process_scratch {
	struct process_record record;
	struct path_buffer path;
};
struct {
	__uint(type, MAP_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct process_scratch);
} process_scratches SEC(".maps");

inline_always u64 changed_ns(struct inode *inode)
{
	if (field_exists(struct inode, i_ctime_sec))
		return (u64)READ(inode, i_ctime_sec) * 1000000000ull + READ(inode, i_ctime_nsec);
	struct timespec64 time = {};
	if (field_exists(struct inode___v6_6, __i_ctime))
		bpf_probe_read_kernel(&time, sizeof(time), &((struct inode___v6_6 *)inode)->__i_ctime);
	else
		bpf_probe_read_kernel(&time, sizeof(time), &((struct inode___old *)inode)->i_ctime);
	return (u64)time.tv_sec * 1000000000ull + time.tv_nsec;
}

/* What the overlay says of the executable. `struct ovl_inode` lives in a module on most distributions, so its two
 * fields behind the VFS inode are found by that inode's size: the upper dentry, then what leads to the lower file. */
inline_always u32 overlay_flags(struct inode *inode)
{
	u32 flags = EXE_OVERLAY;
	void *behind = (void *)inode + type_size(struct inode);
	void *upper = 0, *lower = 0;
	bpf_probe_read_kernel(&upper, sizeof(upper), behind);
	bpf_probe_read_kernel(&lower, sizeof(lower), behind + sizeof(void *));
	if (upper)
		flags |= EXE_UPPER;
	if (overlay_layout == 1)
		flags |= EXE_LOWER_KNOWN | (lower ? 0 : EXE_NO_LOWER);
	if (overlay_layout == 2) {
		u32 lowers = 0;
		if (lower)
			bpf_probe_read_kernel(&lowers, sizeof(lowers), lower);
		if (lowers <= MAX_LOWER)
			flags |= EXE_LOWER_KNOWN | (lowers ? 0 : EXE_NO_LOWER);
	}
	return flags;
}

inline_always void fill_executable(struct process_tail *tail, struct file *file)
{
	struct inode *inode = READ(file, f_inode);
	struct super_block *super = READ(inode, i_sb);
	u64 magic = READ(super, s_magic);
	u32 flags = 0;
	tail->inode = tail->device = tail->changed = tail->exe_flags = 0;
	if (!inode)
		return; /* a kernel thread */
	tail->inode = READ(inode, i_ino);
	tail->device = READ(super, s_dev);
	tail->changed = changed_ns(inode);
	if (magic == MAGIC_OVERLAY)
		flags |= overlay_flags(inode);
	struct dentry *dentry = READ(file, f_path.dentry);
	if (READ(inode, i_nlink) == 0 && magic == MAGIC_TMPFS && READ(dentry, d_parent) == dentry)
		flags |= EXE_MEMFD;
	tail->exe_flags = flags;
}

inline_always int leads_on(u8 kind)
{
	return kind == STREAM_PIPE || kind == STREAM_FIFO || kind == STREAM_TERMINAL;
}

/* The standard streams of the nearest ancestors, for streams that go on through them. */
inline_always void fill_lineage(struct process_tail *tail, struct task_struct *task)
{
	struct task_struct *ancestor = task;
	tail->ancestors = 0;
	if (!leads_on(tail->streams[0].kind) && !leads_on(tail->streams[1].kind))
		return;
	for (int i = 0; i < ANCESTORS; i++) {
		ancestor = READ(ancestor, real_parent);
		u32 tgid = READ(ancestor, tgid);
		struct process_state *state = bpf_map_lookup_elem(&processes, &tgid);
		if (tgid <= 1 || !state)
			return;
		__builtin_memset(&tail->lineage[i], 0, sizeof(tail->lineage[i]));
		tail->lineage[i].exec_id = state->exec_id;
		file_stream(&tail->lineage[i].streams[0], file_of(ancestor, 0));
		file_stream(&tail->lineage[i].streams[1], file_of(ancestor, 1));
		tail->ancestors = i + 1;
	}
}

inline_always void fill_process(struct process_tail *tail, struct task_struct *task)
{
	struct signal_struct *signal = READ(task, signal);
	struct cred *cred = READ(task, cred);
	tail->start = READ(task, start_boottime);
	tail->capabilities[0] = 0;
	bpf_probe_read_kernel(&tail->capabilities[0], 8, &cred->cap_effective);
	bpf_probe_read_kernel(&tail->capabilities[1], 8, &cred->cap_permitted);
	bpf_probe_read_kernel(&tail->capabilities[2], 8, &cred->cap_inheritable);
	tail->parent_tgid = READ(READ(task, real_parent), tgid);
	struct pid *session = READ(signal, pids[PID_OF_SESSION]);
	tail->session = READ(session, numbers[0].nr);
	tail->gid = READ(cred, gid.val);
	tail->login_uid = ~0u;
	if (field_exists(struct task_struct, loginuid))
		tail->login_uid = READ(task, loginuid.val);
	tail->terminal = READ(signal, tty) != 0;
	bpf_probe_read_kernel(tail->comm, sizeof(tail->comm), &task->comm);
	__builtin_memset(tail->streams, 0, sizeof(tail->streams));
	for (int fd = 0; fd < 3; fd++)
		file_stream(&tail->streams[fd], file_of(task, fd));
	fill_lineage(tail, task);
}

/* Appends the walked path at `position`, at most `limit` - 1 bytes (a power of two), keeping its end. */
#define APPEND_PATH(record, position, buffer, limit)                                                            \
	({                                                                                                      \
		u32 offset_ = (buffer)->offset;                                                                 \
		if (offset_ > PATH_BYTES)                                                                       \
			offset_ = PATH_BYTES;                                                                   \
		if (PATH_BYTES - offset_ > (limit) - 1) {                                                       \
			offset_ = PATH_BYTES - ((limit) - 1);                                                   \
			(record)->header.flags |= FLAG_TRUNCATED;                                               \
		}                                                                                               \
		u32 length_ = PATH_BYTES - offset_;                                                             \
		barrier_var(length_);                                                                           \
		barrier_var(offset_);                                                                           \
		length_ &= (limit) - 1;                                                                         \
		bpf_probe_read_kernel(&(record)->bytes[position], length_, &(buffer)->bytes[offset_ & (2 * PATH_BYTES - 1)]); \
		if ((buffer)->truncated)                                                                        \
			(record)->header.flags |= FLAG_TRUNCATED;                                               \
		length_;                                                                                        \
	})

inline_always void send_process(struct task_struct *task, u8 type, struct process_state *state, int with_args)
{
	u32 zero = 0;
	struct process_scratch *scratch = bpf_map_lookup_elem(&process_scratches, &zero);
	if (!scratch)
		return;
	struct process_record *record = &scratch->record;
	struct mm_struct *mm = READ(task, mm);
	struct file *file = READ(mm, exe_file);
	struct fs_struct *fs = READ(task, fs);
	fill_header(&record->header, type, task, state);
	fill_process(&record->tail, task);
	fill_executable(&record->tail, file);

	walk_path(&scratch->path, &file->f_path, task);
	u32 position = APPEND_PATH(record, 0, &scratch->path, PATH_BYTES);
	record->tail.exe_length = position;
	walk_path(&scratch->path, &fs->pwd, task);
	u32 cwd = APPEND_PATH(record, position, &scratch->path, CWD_BYTES);
	record->tail.cwd_length = cwd;
	position += cwd;

	u32 args = 0;
	if (with_args) {
		unsigned long start = READ(mm, arg_start);
		unsigned long size = READ(mm, arg_end) - start;
		if (size > ARGS_BYTES - 1) {
			size = ARGS_BYTES - 1;
			record->header.flags |= FLAG_TRUNCATED;
		}
		args = size;
		barrier_var(args);
		args &= ARGS_BYTES - 1;
		if (bpf_probe_read_user(&record->bytes[position], args, (void *)start)) {
			count(DROP_ARGS_UNREADABLE);
			args = 0;
		}
	}
	record->tail.args_length = args;
	position += args;
	emit_priority(&record->header, sizeof(record->tail) + position);
}

SEC("tp_btf/sched_process_exec")
int on_exec(u64 *ctx)
{
	struct task_struct *task = (void *)ctx[0];
	u32 tgid = READ(task, tgid);
	struct process_state state = state_of(task);
	state.exec_id = new_exec_id(bpf_ktime_get_boot_ns());
	bpf_map_update_elem(&processes, &tgid, &state, UPDATE_ANY);
	send_process(task, RECORD_EXEC, &state, 1);
	return 0;
}

SEC("tp_btf/sched_process_fork")
int on_fork(u64 *ctx)
{
	struct task_struct *parent = (void *)ctx[0];
	struct task_struct *child = (void *)ctx[1];
	u32 tgid = READ(child, tgid);
	if (READ(child, pid) != tgid)
		return 0; /* a thread */
	struct process_state above = state_of(parent);
	struct process_state state = {
		.exec_id = new_exec_id(bpf_ktime_get_boot_ns()),
		.parent_exec_id = above.exec_id,
	};
	if (bpf_map_update_elem(&processes, &tgid, &state, UPDATE_ANY))
		count(DROP_STATE_FULL);
	struct header header = {};
	fill_header(&header, RECORD_FORK, child, &state);
	emit_priority(&header, 0);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int on_exit(u64 *ctx)
{
	struct task_struct *task = (void *)ctx[0];
	struct signal_struct *signal = READ(task, signal);
	if (READ(signal, live.counter) != 0)
		return 0; /* other threads live on */
	u32 tgid = READ(task, tgid);
	struct process_state state = state_of(task);
	bpf_map_delete_elem(&processes, &tgid);
	struct header header = {};
	fill_header(&header, RECORD_EXIT, task, &state);
	header.result = READ(task, exit_code);
	emit_priority(&header, 0);
	return 0;
}

SEC("iter/task")
int list_processes(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	if (!task)
		return 0;
	if (task->pid != task->tgid)
		return 0;
	struct process_state state = state_of(task);
	send_process(task, RECORD_STATE, &state, 0);
	return 0;
}
