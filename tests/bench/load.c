/* The clients of the benchmark: one thread, epoll, sockets that never block. What it finds it prints as one line of JSON.

   load echo|churn|burst PORT SERVER_PID COUNT SECONDS     a closed loop of 64 bytes; connect, echo, close; a crowd
   load idle PORT SERVER_PID COUNT SECONDS                 holds COUNT connections until stdin ends
   load serve                                              an echo server in C: shows how fast these clients can be */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SIZE = 64, BATCH = 256, PATIENCE = 60 /* seconds for what should take none */ };
enum state { CONNECTING, WAITING, ENDING, DONE };

struct connection {
    int fd;
    enum state state;
    int got;        /* bytes of the echo */
    double sent_at; /* seconds */
};

struct usage { /* at one moment, in seconds */
    double time, load, server;
};

static int poller, count, errors;
static struct sockaddr_in address = {.sin_family = AF_INET};
static clockid_t server_clock;
static struct connection *connections;
static char message[SIZE];
static float *waits; /* seconds of each echo */
static size_t waits_length, waits_room;

static void fail(const char *what) {
    fprintf(stderr, "load: %s: %s\n", what, errno ? strerror(errno) : "the server has hung up");
    exit(1);
}

static double seconds_of(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double now(void) { return seconds_of(CLOCK_MONOTONIC); }

static struct usage usage(void) {
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    double load = (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) + 1e-6 * (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec);
    return (struct usage){now(), load, seconds_of(server_clock)};
}

/* ── the result ── */

static void keep_wait(double seconds) {
    if (waits_length == waits_room) {
        waits_room = waits_room ? 2 * waits_room : 1 << 16;
        waits = realloc(waits, waits_room * sizeof *waits);
        if (!waits) fail("realloc");
    }
    waits[waits_length++] = (float)seconds;
}

static int in_order(const void *a, const void *b) {
    float one = *(const float *)a, other = *(const float *)b;
    return (one > other) - (one < other);
}

static double wait_at(double share) {
    return waits_length ? 1e6 * waits[(size_t)(share * (double)(waits_length - 1))] : 0;
}

static void print_result(long done, struct usage begin, struct usage end) {
    double seconds = end.time - begin.time;
    qsort(waits, waits_length, sizeof *waits, in_order);
    printf("{\"done\": %ld, \"seconds\": %.6f, \"rate\": %.3f, \"p50\": %.1f, \"p99\": %.1f, \"errors\": %d, "
           "\"load_cpu\": %.4f, \"server_cpu\": %.4f, \"cpu_each\": %.3f}\n",
           done, seconds, (double)done / seconds, wait_at(0.5), wait_at(0.99), errors, (end.load - begin.load) / seconds,
           (end.server - begin.server) / seconds, done ? 1e6 * (end.server - begin.server) / (double)done : 0);
}

/* ── connections ── */

static void watch(struct connection *c, int operation, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = c};
    if (epoll_ctl(poller, operation, c->fd, &event) < 0) fail("epoll_ctl");
}

static void ask(struct connection *c) {
    c->got = 0;
    c->sent_at = now();
    if (send(c->fd, message, SIZE, MSG_NOSIGNAL) != SIZE) fail("send");
}

/* Connects and echoes once, so that it is certainly served. One after another: the backlog is not what is measured. */
static void open_served(struct connection *c) {
    struct timeval patience = {.tv_sec = PATIENCE};
    char echo[SIZE];
    int one = 1;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0) fail("socket");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(c->fd, (struct sockaddr *)&address, sizeof address) < 0) fail("connect");
    ask(c);
    errno = 0;
    if (recv(c->fd, echo, SIZE, MSG_WAITALL) != SIZE) fail("recv");
    c->state = WAITING;
}

static void begin_to_connect(struct connection *c) {
    *c = (struct connection){.state = CONNECTING, .sent_at = now()};
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0) fail("socket");
    if (connect(c->fd, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS) fail("connect");
    watch(c, EPOLL_CTL_ADD, EPOLLOUT);
}

static void connected(struct connection *c) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    c->state = error || send(c->fd, message, SIZE, MSG_NOSIGNAL) != SIZE ? DONE : WAITING;
    errors += c->state == DONE;
    watch(c, EPOLL_CTL_MOD, EPOLLIN);
}

/* Reads what is there; returns whether this was the last byte of the echo. */
static int heard(struct connection *c) {
    char bytes[4096];
    errno = 0;
    ssize_t n = recv(c->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN) return 0;
    if (n <= 0) {
        errors += c->state != ENDING || n < 0;
        c->state = DONE;
        return 0;
    }
    c->got += (int)n;
    return c->got == SIZE;
}

static int await(struct epoll_event *events, double until) {
    double left = until - now();
    int n = epoll_wait(poller, events, BATCH, left > 0 ? (int)(1000 * left) + 1 : 0);
    if (n < 0 && errno != EINTR) fail("epoll_wait");
    return n < 0 ? 0 : n;
}

/* ── what is measured ── */

static void echo_on(struct connection *c) {
    if (!heard(c)) {
        if (c->state == DONE) fail("recv");
        return;
    }
    keep_wait(now() - c->sent_at);
    ask(c);
}

static long churn_on(struct connection *c) {
    if (c->state == CONNECTING) {
        connected(c);
    } else if (heard(c)) {
        shutdown(c->fd, SHUT_WR); /* the server sees the end, closes, and we read its end */
        c->state = ENDING;
    }
    if (c->state != DONE) return 0;
    int is_whole = c->got == SIZE;
    if (is_whole) keep_wait(now() - c->sent_at);
    close(c->fd);
    begin_to_connect(c);
    return is_whole;
}

/* The first tenth of the time is not counted: threads start, caches fill. */
static void measure(int is_churn, double seconds) {
    struct epoll_event events[BATCH];
    long done = 0;
    for (int i = 0; i < count; i++) {
        if (is_churn) {
            begin_to_connect(&connections[i]);
        } else {
            open_served(&connections[i]);
            watch(&connections[i], EPOLL_CTL_ADD, EPOLLIN);
        }
    }
    for (int i = 0; !is_churn && i < count; i++) ask(&connections[i]);
    double warm = now() + 0.1 * seconds, until = 0;
    struct usage begin = {0};
    for (double time = now(); !until || time < until; time = now()) {
        if (!until && time >= warm) {
            until = time + seconds;
            done = 0;
            waits_length = 0;
            begin = usage();
        }
        int n = await(events, until ? until : warm);
        for (int i = 0; i < n; i++) {
            if (is_churn) {
                done += churn_on(events[i].data.ptr);
            } else {
                echo_on(events[i].data.ptr);
            }
        }
    }
    print_result(is_churn ? done : (long)waits_length, begin, usage());
}

static void burst(void) {
    struct epoll_event events[BATCH];
    struct usage begin = usage();
    double until = begin.time + PATIENCE;
    for (int i = 0; i < count; i++) begin_to_connect(&connections[i]);
    for (long done = 0; done < count;) {
        int n = await(events, until);
        if (!n && now() > until) break;
        for (int i = 0; i < n; i++) {
            struct connection *c = events[i].data.ptr;
            if (c->state == CONNECTING) {
                connected(c);
            } else if (heard(c)) {
                keep_wait(now() - c->sent_at);
                done++;
            }
            if (c->state == DONE) { /* refused or reset: it tries again, as a client would */
                close(c->fd);
                begin_to_connect(c);
            }
        }
    }
    errors += count - (int)waits_length; /* those that were not served in time */
    print_result((long)waits_length, begin, usage());
}

static void idle(void) {
    char byte;
    for (int i = 0; i < count; i++) open_served(&connections[i]);
    printf("{\"ready\": %d}\n", count);
    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0) continue;
}

/* ── a server as fast as can be ── */

static void serve(void) {
    struct epoll_event events[BATCH];
    static struct connection listener, end;
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener.fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener.fd, (struct sockaddr *)&address, size) < 0 || listen(listener.fd, 1024) < 0) fail("listen");
    getsockname(listener.fd, (struct sockaddr *)&address, &size);
    watch(&listener, EPOLL_CTL_ADD, EPOLLIN);
    end.fd = STDIN_FILENO;
    watch(&end, EPOLL_CTL_ADD, EPOLLIN);
    printf("{\"port\": %d}\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;) {
        int n = epoll_wait(poller, events, BATCH, -1);
        for (int i = 0; i < n; i++) {
            struct connection *c = events[i].data.ptr;
            char bytes[65536];
            if (c == &end) return;
            if (c == &listener) {
                struct connection *next = calloc(1, sizeof *next);
                next->fd = accept4(listener.fd, NULL, NULL, SOCK_NONBLOCK);
                if (next->fd < 0) fail("accept");
                watch(next, EPOLL_CTL_ADD, EPOLLIN);
                continue;
            }
            ssize_t got = recv(c->fd, bytes, sizeof bytes, 0);
            if (got <= 0 || send(c->fd, bytes, (size_t)got, MSG_NOSIGNAL) != got) {
                close(c->fd);
                free(c);
            }
        }
    }
}

int main(int argc, char **argv) {
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (argc == 2 && !strcmp(argv[1], "serve")) {
        serve();
        return 0;
    }
    if (argc != 6) {
        fprintf(stderr, "usage: load echo|churn|burst|idle PORT SERVER_PID COUNT SECONDS, or load serve\n");
        return 2;
    }
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((uint16_t)atoi(argv[2]));
    if ((errno = clock_getcpuclockid(atoi(argv[3]), &server_clock))) fail("the server's clock");
    count = atoi(argv[4]);
    connections = calloc((size_t)count, sizeof *connections);
    memset(message, 'x', SIZE);
    if (!strcmp(argv[1], "burst")) {
        burst();
    } else if (!strcmp(argv[1], "idle")) {
        idle();
    } else {
        measure(!strcmp(argv[1], "churn"), atof(argv[5]));
    }
    return 0;
}
