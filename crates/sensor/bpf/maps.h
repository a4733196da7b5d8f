/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Maps and settings shared by all families, and how a record leaves the kernel. */
#pragma once
#include "bpf_core.h"
#include "record.h"

/* Set by user space before loading. */
const volatile u32 own_tgid = 0;        /* the sensor's own opens are not reported */
const volatile u32 overlay_layout = 0;  /* 1: pointer to the lower file follows the upper dentry (before 6.5), 2: ovl_entry */
const volatile u32 data_budget = 20000; /* data records per container and second */
const volatile u32 wanted = ~0u;        /* bit per record_type */

/* Identity of a process across exec; the key is the thread group. 65,536 processes fit a node. */
struct process_state { u64 exec_id; u64 parent_exec_id; };
struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, NO_PREALLOC);
	__type(key, u32);
	__type(value, struct process_state);
} processes SEC(".maps");

struct {
	__uint(type, MAP_RINGBUF);
	__uint(max_entries, 4 * 1024 * 1024);
} priority_ring SEC(".maps");

struct {
	__uint(type, MAP_RINGBUF);
	__uint(max_entries, 4 * 1024 * 1024);
} data_ring SEC(".maps");

struct {
	__uint(type, MAP_PERCPU_ARRAY);
	__uint(max_entries, DROP_CLASSES);
	__type(key, u32);
	__type(value, u64);
} drops SEC(".maps");

enum { RING_PRIORITY = 0, RING_DATA = 1 };
struct {
	__uint(type, MAP_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, u32);
	__type(value, u32);
} sequences SEC(".maps");

struct budget { u64 second; u64 spent; };
struct {
	__uint(type, MAP_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, u64);
	__type(value, struct budget);
} budgets SEC(".maps");

inline_always void count(u32 class)
{
	u64 *counter = bpf_map_lookup_elem(&drops, &class);
	if (counter)
		*counter += 1;
}

inline_always u32 next_sequence(u32 ring)
{
	u32 *sequence = bpf_map_lookup_elem(&sequences, &ring);
	return sequence ? ++*sequence : 0;
}

/* `length` is that of the tail and has been bounded by the caller. */
inline_always void emit_priority(struct header *header, u32 length)
{
	header->length = length;
	header->sequence = next_sequence(RING_PRIORITY);
	if (bpf_ringbuf_output(&priority_ring, header, sizeof(*header) + length, 0))
		count(DROP_PRIORITY_RING);
}

inline_always void emit_data(struct header *header, u32 length)
{
	header->length = length;
	header->sequence = next_sequence(RING_DATA);
	if (bpf_ringbuf_output(&data_ring, header, sizeof(*header) + length, 0))
		count(DROP_DATA_RING);
}

/* Whether the container may send one more data record this second, so that it cannot starve others. */
inline_always int within_budget(u64 cgroup)
{
	u64 second = bpf_ktime_get_boot_ns() / 1000000000ull;
	struct budget *budget = bpf_map_lookup_elem(&budgets, &cgroup);
	if (!budget || budget->second != second) {
		struct budget fresh = { .second = second, .spent = 1 };
		bpf_map_update_elem(&budgets, &cgroup, &fresh, UPDATE_ANY);
		return 1;
	}
	budget->spent += 1;
	if (budget->spent <= data_budget)
		return 1;
	count(DROP_BUDGET);
	return 0;
}

inline_always u64 cgroup_of(struct task_struct *task)
{
	struct css_set *set = READ(task, cgroups);
	struct cgroup *cgroup = READ(set, dfl_cgrp);
	struct kernfs_node *node = READ(cgroup, kn);
	return READ(node, id);
}

/* The number of a `struct pid` in the namespace at its deepest level. */
inline_always u32 innermost_number(struct pid *pid)
{
	u32 level = READ(pid, level);
	u32 number = 0;
	/* Namespaces nest at most 32 deep (MAX_PID_NS_LEVEL). */
	bpf_probe_read_kernel(&number, sizeof(number), (void *)&pid->numbers + (u64)(level & 63) * type_size(struct upid));
	return number;
}

/* The record's clock value with the CPU in its low ten bits: two programs cannot start on one CPU within a microsecond. */
inline_always u64 new_exec_id(u64 now)
{
	return (now & ~1023ull) | (bpf_get_smp_processor_id() & 1023);
}

/* The state of a process, made from its start time where the sensor has not seen it begin. */
inline_always struct process_state state_of(struct task_struct *task)
{
	u32 tgid = READ(task, tgid);
	struct process_state *known = bpf_map_lookup_elem(&processes, &tgid);
	if (known)
		return *known;
	struct task_struct *leader = READ(task, group_leader);
	u32 parent = READ(READ(leader, real_parent), tgid);
	struct process_state *parent_state = bpf_map_lookup_elem(&processes, &parent);
	struct process_state fresh = {
		.exec_id = (READ(leader, start_boottime) & ~1023ull) | (tgid & 1023),
		.parent_exec_id = parent_state ? parent_state->exec_id : 0,
	};
	if (bpf_map_update_elem(&processes, &tgid, &fresh, UPDATE_NOEXIST))
		count(DROP_STATE_FULL);
	return fresh;
}

inline_always void fill_header(struct header *header, u8 type, struct task_struct *task, struct process_state *state)
{
	struct signal_struct *signal = READ(task, signal);
	struct cred *cred = READ(task, cred);
	header->type = type;
	header->flags = 0;
	header->cpu = bpf_get_smp_processor_id();
	header->time = bpf_ktime_get_boot_ns();
	header->exec_id = state->exec_id;
	header->parent_exec_id = state->parent_exec_id;
	header->cgroup = cgroup_of(task);
	header->tgid = READ(task, tgid);
	header->tid = READ(task, pid);
	header->uid = READ(cred, uid.val);
	header->vtgid = innermost_number(READ(signal, pids[PID_OF_GROUP]));
	header->result = 0;
}
