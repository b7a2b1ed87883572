/*
 * A link between two network namespaces with the capacity, queue, delay and loss that it is told: what comes out of the
 * first one passes a queue with an end, at the capacity of the moment, and is lost by chance afterwards; what comes back is
 * only delayed. This kernel has no netem, and the shapers it has send in bursts.
 *
 *   linkEmulator NAMESPACE_A NAMESPACE_B DELAY_MS QUEUE_MS LOSS SEED
 *
 * Standard input: lines `capacity BITS_PER_SECOND` and `loss PART`. Standard output, ten times a second, a line of JSON:
 * the time, bytes delivered, packets dropped for want of room and lost by chance, and the waiting of packets in the queue.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define REPORT_EVERY 0.1
#define MOST_WAITS 20000
/* However slow the link, a picture's first packets find room. */
#define LEAST_ROOM 15000

struct packet {
  struct packet* next;
  double entered;
  double due;
  int length;
  unsigned char data[];
};

struct line {
  struct packet* first;
  struct packet* last;
  long bytes;
};

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

static void append(struct line* line, struct packet* packet) {
  packet->next = NULL;
  if (line->last != NULL) line->last->next = packet;
  else line->first = packet;
  line->last = packet;
  line->bytes += packet->length;
}

static struct packet* take(struct line* line) {
  struct packet* packet = line->first;
  line->first = packet->next;
  if (line->first == NULL) line->last = NULL;
  line->bytes -= packet->length;
  return packet;
}

static int openTunnel(const char* namespace) {
  char path[128];
  snprintf(path, sizeof path, "/run/netns/%s", namespace);
  const int own = open("/proc/self/ns/net", O_RDONLY);
  const int other = open(path, O_RDONLY);
  if (own < 0 || other < 0 || setns(other, CLONE_NEWNET) != 0) {
    perror(path);
    exit(1);
  }
  const int tunnel = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  struct ifreq request = {0};
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  strcpy(request.ifr_name, "link0");
  if (tunnel < 0 || ioctl(tunnel, TUNSETIFF, &request) != 0) {
    perror("/dev/net/tun");
    exit(1);
  }
  if (setns(own, CLONE_NEWNET) != 0) exit(1);
  close(own);
  close(other);
  return tunnel;
}

static struct packet* receive(int tunnel, double time) {
  static unsigned char buffer[65536];
  const int length = read(tunnel, buffer, sizeof buffer);
  if (length <= 0) return NULL;
  struct packet* packet = malloc(sizeof *packet + length);
  packet->entered = time;
  packet->length = length;
  memcpy(packet->data, buffer, length);
  return packet;
}

/* Whoever does not read is like a receiver without room. */
static void deliver(int tunnel, struct packet* packet) {
  if (write(tunnel, packet->data, packet->length) < 0 && errno != EAGAIN && errno != EIO) perror("write");
  free(packet);
}

static int ascending(const void* a, const void* b) {
  const double difference = *(const double*)a - *(const double*)b;
  return (difference > 0) - (difference < 0);
}

int main(int count, char** words) {
  if (count != 7) {
    fprintf(stderr, "linkEmulator NAMESPACE_A NAMESPACE_B DELAY_MS QUEUE_MS LOSS SEED\n");
    return 2;
  }
  const int near = openTunnel(words[1]);
  const int far = openTunnel(words[2]);
  const double delay = atof(words[3]) / 1000;
  const double longest = atof(words[4]) / 1000;
  double loss = atof(words[5]);
  srand48(atol(words[6]));
  double capacity = 1e9;
  struct line queue = {0}, away = {0}, back = {0};
  double freeAt = 0, reportAt = now();
  long delivered = 0, dropped = 0, lost = 0;
  static double waits[MOST_WAITS];
  int waited = 0;
  static char input[4096];
  int held = 0;
  fcntl(0, F_SETFL, O_NONBLOCK);
  printf("{\"ready\":true}\n");
  fflush(stdout);
  for (;;) {
    double time = now();
    double next = reportAt;
    if (queue.first != NULL && freeAt < next) next = freeAt;
    if (away.first != NULL && away.first->due < next) next = away.first->due;
    if (back.first != NULL && back.first->due < next) next = back.first->due;
    const double left = next > time ? next - time : 0;
    const struct timespec patience = {(time_t)left, (long)((left - (time_t)left) * 1e9)};
    struct pollfd files[3] = {{near, POLLIN, 0}, {far, POLLIN, 0}, {0, POLLIN, 0}};
    ppoll(files, 3, &patience, NULL);
    time = now();
    if (files[2].revents != 0) {
      const int got = read(0, input + held, sizeof input - held - 1);
      if (got == 0) return 0;
      if (got > 0) held += got;
      input[held] = 0;
      for (char* end; (end = strchr(input, '\n')) != NULL;) {
        *end = 0;
        sscanf(input, "capacity %lf", &capacity);
        sscanf(input, "loss %lf", &loss);
        held -= end + 1 - input;
        memmove(input, end + 1, held + 1);
      }
    }
    while (queue.first != NULL && freeAt <= time) {
      struct packet* packet = take(&queue);
      if (waited < MOST_WAITS) waits[waited++] = freeAt - packet->length * 8 / capacity - packet->entered;
      delivered += packet->length;
      packet->due = freeAt + delay;
      if (queue.first != NULL) freeAt += queue.first->length * 8 / capacity;
      if (drand48() < loss) {
        lost += 1;
        free(packet);
      } else {
        append(&away, packet);
      }
    }
    for (struct packet* packet; (packet = receive(near, time)) != NULL;) {
      const double room = longest * capacity / 8;
      if (queue.bytes + packet->length > (room > LEAST_ROOM ? room : LEAST_ROOM)) {
        dropped += 1;
        free(packet);
        continue;
      }
      if (queue.first == NULL) freeAt = (freeAt > time ? freeAt : time) + packet->length * 8 / capacity;
      append(&queue, packet);
    }
    while (away.first != NULL && away.first->due <= time) deliver(far, take(&away));
    for (struct packet* packet; (packet = receive(far, time)) != NULL;) {
      packet->due = time + delay;
      append(&back, packet);
    }
    while (back.first != NULL && back.first->due <= time) deliver(near, take(&back));
    if (time < reportAt) continue;
    reportAt += REPORT_EVERY;
    qsort(waits, waited, sizeof waits[0], ascending);
    printf("{\"at\":%.3f,\"capacity\":%.0f,\"bytes\":%ld,\"dropped\":%ld,\"lost\":%ld,\"queueMs\":[", time, capacity,
           delivered, dropped, lost);
    /* Least, middle, and that of the worst twentieth; nothing where nothing passed. */
    if (waited > 0)
      printf("%.1f,%.1f,%.1f", 1000 * waits[0], 1000 * waits[waited / 2], 1000 * waits[waited * 19 / 20]);
    printf("]}\n");
    fflush(stdout);
    delivered = dropped = lost = waited = 0;
  }
}
