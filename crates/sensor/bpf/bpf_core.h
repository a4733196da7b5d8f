/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* BPF helper functions by their number (include/uapi/linux/bpf.h), all present in Linux 5.8, and CO-RE reads. */
#pragma once
#include "vmlinux_min.h"

#define SEC(name) __attribute__((section(name), used))
#define inline_always static inline __attribute__((always_inline))
#define barrier_var(x) asm volatile("" : "+r"(x))

#define __uint(name, value) int(*name)[value]
#define __type(name, value) typeof(value) *name

enum {
	MAP_HASH = 1,
	MAP_ARRAY = 2,
	MAP_PERCPU_ARRAY = 6,
	MAP_LRU_HASH = 9,
	MAP_LPM_TRIE = 11,
	MAP_RINGBUF = 27,
	NO_PREALLOC = 1,
};
enum { UPDATE_ANY = 0, UPDATE_NOEXIST = 1 };

static void *(*const bpf_map_lookup_elem)(void *map, const void *key) = (void *)1;
static long (*const bpf_map_update_elem)(void *map, const void *key, const void *value, u64 flags) = (void *)2;
static long (*const bpf_map_delete_elem)(void *map, const void *key) = (void *)3;
static u32 (*const bpf_get_smp_processor_id)(void) = (void *)8;
static u64 (*const bpf_get_current_pid_tgid)(void) = (void *)14;
static u64 (*const bpf_get_current_task)(void) = (void *)35;
static long (*const bpf_probe_read_user)(void *dst, u32 size, const void *from) = (void *)112;
static long (*const bpf_probe_read_kernel)(void *dst, u32 size, const void *from) = (void *)113;
static long (*const bpf_probe_read_kernel_str)(void *dst, u32 size, const void *from) = (void *)115;
static u64 (*const bpf_ktime_get_boot_ns)(void) = (void *)125;
static long (*const bpf_ringbuf_output)(void *ring, void *data, u64 size, u64 flags) = (void *)130;

/* Reads a field behind a pointer that the verifier does not follow. A fault reads as zero. */
#define READ(pointer, field)                                                                   \
	({                                                                                     \
		typeof((pointer)->field) value_;                                               \
		__builtin_memset(&value_, 0, sizeof(value_));                                  \
		bpf_probe_read_kernel(&value_, sizeof(value_), &(pointer)->field);             \
		value_;                                                                        \
	})

#define FIELD_BYTE_OFFSET 0
#define FIELD_EXISTS 2
#define TYPE_EXISTS 0
#define TYPE_SIZE 1
#define field_exists(type, field) __builtin_preserve_field_info(((type *)0)->field, FIELD_EXISTS)
#define type_size(type) __builtin_preserve_type_info(*(type *)0, TYPE_SIZE)

inline_always u16 big_endian16(u16 value)
{
	return __builtin_bswap16(value);
}
