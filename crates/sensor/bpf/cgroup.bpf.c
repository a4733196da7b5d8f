/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Control groups: their path is known before the first process of a container runs. */
#include "maps.h"

struct cgroup_record { struct header header; struct cgroup_tail tail; };
struct {
	__uint(type, MAP_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct cgroup_record);
} cgroup_scratches SEC(".maps");

inline_always int send_cgroup(u64 *ctx, u8 type)
{
	struct cgroup *cgroup = (void *)ctx[0];
	u32 zero = 0;
	struct cgroup_record *record = bpf_map_lookup_elem(&cgroup_scratches, &zero);
	/* Only the unified hierarchy, number 0, gives processes their identity. */
	if (!record || READ(READ(cgroup, root), hierarchy_id) != 0)
		return 0;
	__builtin_memset(&record->header, 0, sizeof(record->header));
	record->header.type = type;
	record->header.cpu = bpf_get_smp_processor_id();
	record->header.time = bpf_ktime_get_boot_ns();
	record->header.cgroup = READ(READ(cgroup, kn), id);
	long length = bpf_probe_read_kernel_str(record->tail.path, sizeof(record->tail.path), (void *)ctx[1]);
	if (length < 0)
		return 0;
	emit_priority(&record->header, sizeof(record->tail));
	return 0;
}

SEC("tp_btf/cgroup_mkdir")
int on_cgroup_made(u64 *ctx)
{
	return send_cgroup(ctx, RECORD_CGROUP);
}

SEC("tp_btf/cgroup_rmdir")
int on_cgroup_gone(u64 *ctx)
{
	return send_cgroup(ctx, RECORD_CGROUP_GONE);
}
