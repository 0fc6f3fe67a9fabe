// The load of the bench: one client and one server, over sockets or over the files of a mount.
//
//   load serve sockets PORT WORKERS
//   load serve MOUNTPOINT PORT WORKERS
//   load run sockets|MOUNTPOINT HOST:PORT out|in|exchange|connect MILLISECONDS CONNECTIONS
//   load plain INTERFACE
//   load disk FILE MILLISECONDS
//
// `run` prints what it has measured as JSON. Every connection begins with an order of 64 bytes from the client: what the server is to do, and
// for how long.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MESSAGE = 64, PIECE = 1 << 20, PATH_ROOM = 512, MOST_EXCHANGES = 1 << 22, MOST_CONNECTS = 2000 };

enum order { SINK, SOURCE, ECHO };

static void die(const char *what) {
  perror(what);
  exit(1);
}

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

// A page boundary: one that is not would make 257 pages of a megabyte, and two FUSE requests.
static char *piece(void) {
  char *memory = aligned_alloc(4096, PIECE);
  if (memory == NULL) die("memory");
  memset(memory, 0x5a, PIECE);
  return memory;
}

// One connection: a socket, or the open `ctl` and `data` of a directory in the tree; -1: no `ctl`, and the close of `data` is its end.
struct stream {
  int data;
  int ctl;
};

// NULL: sockets.
static const char *mountpoint;

static int open_file(const char *connection, const char *file, int flags) {
  char path[PATH_ROOM];
  snprintf(path, sizeof path, "%s/tcp/%s/%s", mountpoint, connection, file);
  int descriptor = open(path, flags | O_CLOEXEC);
  if (descriptor < 0) die(path);
  return descriptor;
}

static void tell(int descriptor, const char *words) {
  if (write(descriptor, words, strlen(words)) < 0) die(words);
}

// The `ctl` of a new connection, and its name.
static int open_clone(char *name) {
  char path[PATH_ROOM];
  snprintf(path, sizeof path, "%s/tcp/clone", mountpoint);
  int ctl = open(path, O_RDWR | O_CLOEXEC);
  if (ctl < 0) die(path);
  ssize_t length = read(ctl, name, MESSAGE - 1);
  if (length <= 0) die("clone");
  name[length] = 0;
  name[strcspn(name, "\n")] = 0;
  return ctl;
}

static struct sockaddr_in address_of(const char *text) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  char host[MESSAGE];
  const char *colon = strchr(text, ':');
  snprintf(host, sizeof host, "%.*s", (int)(colon - text), text);
  inet_pton(AF_INET, host, &address.sin_addr);
  address.sin_port = htons(atoi(colon + 1));
  return address;
}

static struct stream open_stream(const char *to) {
  if (mountpoint == NULL) {
    struct sockaddr_in address = address_of(to);
    int data = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (data < 0 || connect(data, (struct sockaddr *)&address, sizeof address) < 0) die("connect");
    return (struct stream){data, -1};
  }
  char name[MESSAGE], line[PATH_ROOM];
  int ctl = open_clone(name);
  snprintf(line, sizeof line, "connect %s", to);
  tell(ctl, line);
  return (struct stream){open_file(name, "data", O_RDWR), ctl};
}

// By one open file and no other, as a shell does it.
static struct stream dial(const char *to) {
  if (mountpoint == NULL) return open_stream(to);
  char path[PATH_ROOM];
  snprintf(path, sizeof path, "%s/dial/%s", mountpoint, to);
  int data = open(path, O_RDWR | O_CLOEXEC);
  if (data < 0) die(path);
  return (struct stream){data, -1};
}

static void end_output(struct stream stream) {
  if (stream.ctl < 0) shutdown(stream.data, SHUT_WR);
  else tell(stream.ctl, "shutdown wr");
}

static void close_stream(struct stream stream) {
  if (stream.ctl >= 0) {
    tell(stream.ctl, "close");
    close(stream.ctl);
  }
  close(stream.data);
}

// Returns 0 at the end of the stream.
static int read_all(int descriptor, char *bytes, size_t length) {
  for (size_t done = 0; done < length;) {
    ssize_t count = read(descriptor, bytes + done, length - done);
    if (count < 0) die("read");
    if (count == 0) return 0;
    done += count;
  }
  return 1;
}

static void write_all(int descriptor, const char *bytes, size_t length) {
  for (size_t done = 0; done < length;) {
    ssize_t count = write(descriptor, bytes + done, length - done);
    if (count < 0) die("write");
    done += count;
  }
}

static uint64_t read_to_end(int descriptor, char *bytes) {
  uint64_t total = 0;
  for (ssize_t count; (count = read(descriptor, bytes, PIECE)) != 0; total += count)
    if (count < 0) die("read");
  return total;
}

static void write_until(int descriptor, const char *bytes, int64_t end) {
  while (now() < end) write_all(descriptor, bytes, PIECE);
}

static void give_order(struct stream stream, enum order order, int milliseconds) {
  char message[MESSAGE] = {0};
  message[0] = order;
  memcpy(message + 4, &milliseconds, sizeof milliseconds);
  write_all(stream.data, message, MESSAGE);
}

// The server.

static int listening;
static char listener[MESSAGE];

static struct stream next_stream(void) {
  if (mountpoint == NULL) {
    int data = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
    if (data < 0) die("accept");
    return (struct stream){data, -1};
  }
  return (struct stream){open_file(listener, "accept_data", O_RDWR), -1};
}

static void obey(struct stream stream, char *bytes) {
  char message[MESSAGE];
  int milliseconds;
  if (!read_all(stream.data, message, MESSAGE)) return;
  memcpy(&milliseconds, message + 4, sizeof milliseconds);
  switch ((enum order)message[0]) {
    case SINK: {
      uint64_t total = read_to_end(stream.data, bytes);
      write_all(stream.data, (char *)&total, sizeof total);
      break;
    }
    case SOURCE:
      write_until(stream.data, bytes, now() + milliseconds * 1000000LL);
      break;
    case ECHO:
      do write_all(stream.data, message, MESSAGE);
      while (read_all(stream.data, message, MESSAGE));
      break;
  }
}

static void *work(void *unused) {
  char *bytes = piece();
  for (;;) {
    struct stream stream = next_stream();
    obey(stream, bytes);
    close_stream(stream);
  }
  return unused;
}

static void serve(int port, int workers) {
  if (mountpoint == NULL) {
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(port)};
    int yes = 1;
    listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listening, (struct sockaddr *)&any, sizeof any) < 0 || listen(listening, 4096) < 0) die("listen");
  } else {
    char line[MESSAGE];
    listening = open_clone(listener);
    snprintf(line, sizeof line, "announce 0.0.0.0:%d", port);
    tell(listening, line);
  }
  puts("ready");
  fflush(stdout);
  for (int i = 1; i < workers; i++) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, work, NULL) != 0) die("thread");
  }
  work(NULL);
}

// The client.

static const char *target;
static const char *workload;
static int duration;
static pthread_barrier_t barrier;
static int64_t started;
static uint64_t bytes_carried;
static uint32_t *latencies;
static uint32_t exchanges;

static void keep_latency(int64_t nanoseconds) {
  if (exchanges < MOST_EXCHANGES) latencies[exchanges] = nanoseconds;
  exchanges++;
}

static void transfer(struct stream stream, char *bytes) {
  uint64_t total;
  if (strcmp(workload, "out") == 0) {
    give_order(stream, SINK, duration);
    write_until(stream.data, bytes, now() + duration * 1000000LL);
    end_output(stream);
    if (!read_all(stream.data, (char *)&total, sizeof total)) die("count");
  } else {
    give_order(stream, SOURCE, duration);
    total = read_to_end(stream.data, bytes);
  }
  __atomic_fetch_add(&bytes_carried, total, __ATOMIC_RELAXED);
}

static void exchange(struct stream stream) {
  char message[MESSAGE];
  give_order(stream, ECHO, 0);
  read_all(stream.data, message, MESSAGE);
  int64_t end = now() + duration * 1000000LL;
  for (int64_t before = now(), after; before < end; before = after) {
    write_all(stream.data, message, MESSAGE);
    if (!read_all(stream.data, message, MESSAGE)) die("exchange");
    after = now();
    keep_latency(after - before);
  }
}

static void connect_again_and_again(void) {
  char message[MESSAGE];
  int64_t end = now() + duration * 1000000LL;
  for (int64_t before = now(), after; before < end && exchanges < MOST_CONNECTS; before = after) {
    struct stream stream = dial(target);
    give_order(stream, ECHO, 0);
    if (!read_all(stream.data, message, MESSAGE)) die("exchange");
    close_stream(stream);
    after = now();
    keep_latency(after - before);
  }
}

static void *run_one(void *unused) {
  char *bytes = piece();
  if (strcmp(workload, "connect") == 0) {
    started = now();
    connect_again_and_again();
    return unused;
  }
  struct stream stream = open_stream(target);
  pthread_barrier_wait(&barrier);
  started = now();
  if (strcmp(workload, "exchange") == 0) exchange(stream);
  else transfer(stream, bytes);
  close_stream(stream);
  return unused;
}

static int compare(const void *a, const void *b) {
  uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
  return left < right ? -1 : left > right;
}

static double percentile(uint32_t count, double part) {
  return count == 0 ? 0 : latencies[(uint32_t)((count - 1) * part)] / 1e3;
}

static void run(int connections) {
  latencies = malloc(MOST_EXCHANGES * sizeof *latencies);
  pthread_barrier_init(&barrier, NULL, connections);
  pthread_t threads[connections];
  for (int i = 0; i < connections; i++) pthread_create(&threads[i], NULL, run_one, NULL);
  for (int i = 0; i < connections; i++) pthread_join(threads[i], NULL);
  double seconds = (now() - started) / 1e9;
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  double cpu = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
  uint32_t kept = exchanges < MOST_EXCHANGES ? exchanges : MOST_EXCHANGES;
  qsort(latencies, kept, sizeof *latencies, compare);
  printf("{\"seconds\":%f,\"bytes\":%llu,\"exchanges\":%u,\"p50\":%f,\"p99\":%f,\"cpu\":%f,\"switches\":%ld}\n", seconds,
         (unsigned long long)bytes_carried, exchanges, percentile(kept, 0.5), percentile(kept, 0.99), cpu,
         usage.ru_nvcsw + usage.ru_nivcsw);
}

// What an interface without any help does: a checksum and a header for each packet of the MTU.
static void make_plain(const char *interface) {
  static const uint32_t commands[] = {ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO, ETHTOOL_STXCSUM};
  int descriptor = socket(AF_INET, SOCK_DGRAM, 0);
  for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
    struct ethtool_value value = {.cmd = commands[i], .data = 0};
    struct ifreq request = {.ifr_data = (char *)&value};
    strncpy(request.ifr_name, interface, IFNAMSIZ - 1);
    if (ioctl(descriptor, SIOCETHTOOL, &request) < 0) die(interface);
  }
}

// Sequential writes of a megabyte, each synced.
static void measure_disk(const char *path, int milliseconds) {
  char *bytes = piece();
  int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (descriptor < 0) die(path);
  uint64_t total = 0;
  int64_t begin = now();
  for (; now() - begin < milliseconds * 1000000LL; total += PIECE) {
    write_all(descriptor, bytes, PIECE);
    if (fdatasync(descriptor) < 0) die("fdatasync");
  }
  printf("{\"seconds\":%f,\"bytes\":%llu}\n", (now() - begin) / 1e9, (unsigned long long)total);
  unlink(path);
}

int main(int count, char **words) {
  if (count == 3 && strcmp(words[1], "plain") == 0) {
    make_plain(words[2]);
  } else if (count == 4 && strcmp(words[1], "disk") == 0) {
    measure_disk(words[2], atoi(words[3]));
  } else if (count >= 5) {
    mountpoint = strcmp(words[2], "sockets") == 0 ? NULL : words[2];
    if (strcmp(words[1], "serve") == 0) {
      serve(atoi(words[3]), atoi(words[4]));
    } else if (count == 7) {
      target = words[3];
      workload = words[4];
      duration = atoi(words[5]);
      run(atoi(words[6]));
    }
  }
  return 0;
}
