/* The clients of the benchmark: one thread, epoll, sockets that never block. It prints one line of JSON.

   load MODE PORT SERVER_PID COUNT SECONDS, with COUNT connections at once:
        echo       each sends 64 bytes, waits for them, and again
        paced      together they send 100 times a second, answered or not: how long does each echo take?
        churn      connect, echo, close, and again
        burst      all connect at once: until when has each been echoed?
        idle       connects and holds them until stdin ends
   load serve      an echo server in C: shows how fast these clients can be */

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
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { SIZE = 64, BATCH = 256, PACE = 100 /* messages/s */, PATIENCE = 20 /* seconds for what should take none */ };
enum state { CONNECTING, WAITING, ENDING, DONE };

struct connection {
    int fd;
    enum state state;
    int got;        /* bytes of the echo */
    double sent_at; /* seconds */
    long echoes;    /* how many have come */
};

struct usage { /* until now, in seconds: of the clients, of the server, of all programs on this machine */
    double time, load, server, machine;
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

static double machine_seconds(void) {
    double user = 0, nice = 0, system = 0;
    FILE *file = fopen("/proc/stat", "r");
    if (!file || fscanf(file, "cpu %lf %lf %lf", &user, &nice, &system) != 3) fail("/proc/stat");
    fclose(file);
    return (user + nice + system) / (double)sysconf(_SC_CLK_TCK);
}

static struct usage usage(void) {
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    double load = (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec);
    load += 1e-6 * (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec);
    return (struct usage){now(), load, seconds_of(server_clock), machine_seconds()};
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
    double seconds = end.time - begin.time, load = end.load - begin.load, server = end.server - begin.server;
    double others = end.machine - begin.machine - load - server;
    qsort(waits, waits_length, sizeof *waits, in_order);
    printf("{\"done\": %ld, \"seconds\": %.6f, \"rate\": %.3f, ", done, seconds, (double)done / seconds);
    printf("\"p50\": %.1f, \"p99\": %.1f, \"errors\": %d, ", wait_at(0.5), wait_at(0.99), errors);
    printf("\"load_cpu\": %.4f, \"server_cpu\": %.4f, ", load / seconds, server / seconds);
    printf("\"others_cpu\": %.3f, ", others > 0 ? others / seconds : 0);
    printf("\"cpu_each\": %.3f}\n", done ? 1e6 * server / (double)done : 0);
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

/* Message k is planned for begin + k / PACE, and its wait counts from there: a server that is late is not spared. */
static void paced_on(struct connection *c, double begin, double warm) {
    char bytes[4096];
    errno = 0;
    ssize_t n = recv(c->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) fail("recv");
    for (c->got += (int)n; c->got >= SIZE; c->got -= SIZE) {
        double planned = begin + (double)(c->echoes++ * count + (c - connections)) / PACE;
        if (planned >= warm) keep_wait(now() - planned);
    }
}

static void paced(double seconds) {
    struct epoll_event events[BATCH];
    struct itimerspec period = {{0, 1000000000 / PACE}, {0, 1}};
    static struct connection timer;
    for (int i = 0; i < count; i++) {
        open_served(&connections[i]);
        watch(&connections[i], EPOLL_CTL_ADD, EPOLLIN);
    }
    timer.fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    watch(&timer, EPOLL_CTL_ADD, EPOLLIN);
    struct usage usage_then = usage();
    double begin = now(), warm = begin + 0.1 * seconds, until = warm + seconds;
    long sent = 0, planned = 0;
    if (timer.fd < 0 || timerfd_settime(timer.fd, 0, &period, NULL) < 0) fail("timerfd");
    while (now() < until) {
        int n = await(events, until);
        for (int i = 0; i < n; i++) {
            uint64_t ticks = 0;
            if (events[i].data.ptr != &timer) {
                paced_on(events[i].data.ptr, begin, warm);
            } else if (read(timer.fd, &ticks, sizeof ticks) == sizeof ticks) {
                for (planned += (long)ticks; sent < planned; sent++) {
                    if (send(connections[sent % count].fd, message, SIZE, MSG_NOSIGNAL) != SIZE) fail("send");
                }
            }
        }
    }
    for (int i = 0; i < count; i++) { /* what has not come: it waits for at least so long */
        for (long k = connections[i].echoes * count + i; k < sent; k += count) {
            keep_wait(now() - (begin + (double)k / PACE));
        }
    }
    print_result((long)waits_length, usage_then, usage());
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
        fprintf(stderr, "usage: load echo|paced|churn|burst|idle PORT SERVER_PID COUNT SECONDS, or load serve\n");
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
    } else if (!strcmp(argv[1], "paced")) {
        paced(atof(argv[5]));
    } else {
        measure(!strcmp(argv[1], "churn"), atof(argv[5]));
    }
    return 0;
}
