// How the daemon's allocator behaves (jemalloc reads this name at its start): two arenas, since
// every further one keeps free pages of its own, and what has been free for five seconds goes back
// to the system, also while nothing is allocated any more. An idle daemon stays small, a busy one
// does not ask the kernel for the same pages again and again.
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf = "narenas:2,background_thread:true,dirty_decay_ms:5000,muzzy_decay_ms:0";
}
