/* A proxy that counts the bytes it carries and, at a given one, cuts, stalls or stops.
 *
 *     proxy LISTEN TARGET REPORT [CONNECTION DIRECTION BYTES ACTION]
 *
 * LISTEN is the path of a Unix socket to make, or tcp:PORT on 127.0.0.1; TARGET the path of the
 * server's Unix socket. CONNECTION counts from 0, DIRECTION is c2s or s2c. When just BYTES of that
 * connection have gone that way, ACTION is
 *
 *     cut     both ends are closed, whatever is still under way is lost
 *     stall   nothing goes that way any more; both ends stay open
 *     stop    the proxy stops itself (SIGSTOP), with all connections; SIGCONT goes on
 *
 * REPORT is written anew whenever a connection ends and at SIGTERM: a line "NUMBER C2S S2C" each.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { MAX = 512, BLOCK = 65536 };

struct way {
    int from, to;
    unsigned long long carried;
    char block[BLOCK];
    size_t at, len;
    int ended; /* `from` has said that it is done */
};

static struct connection {
    struct way way[2]; /* c2s, s2c */
    int open;
} * connections[MAX];
static int n_connections;
static const char *report;
static volatile sig_atomic_t ending;

static int fault_connection = -1, fault_way;
static unsigned long long fault_bytes;
static enum { CUT, STALL, STOP } fault_action;
static int fault_done;

static void die(const char *what)
{
    perror(what);
    exit(2);
}

static void note_end(int signal)
{
    (void)signal;
    ending = 1;
}

static void write_report(void)
{
    FILE *out = fopen(report, "w");

    if (!out)
        die(report);
    for (int i = 0; i < n_connections; i++)
        fprintf(out, "%d %llu %llu\n", i, connections[i]->way[0].carried,
                connections[i]->way[1].carried);
    fclose(out);
}

static int listen_on(const char *where)
{
    int fd;

    if (strncmp(where, "tcp:", 4) == 0) {
        struct sockaddr_in at = {.sin_family = AF_INET,
                                 .sin_port = htons((unsigned short)strtol(where + 4, NULL, 10)),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        int yes = 1;

        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
        if (bind(fd, (struct sockaddr *)&at, sizeof at) < 0)
            die(where);
    } else {
        struct sockaddr_un at = {.sun_family = AF_UNIX};

        snprintf(at.sun_path, sizeof at.sun_path, "%s", where);
        unlink(where);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (bind(fd, (struct sockaddr *)&at, sizeof at) < 0)
            die(where);
    }
    if (listen(fd, 128) < 0)
        die("listen");
    return fd;
}

static void accept_one(int listener, const char *target)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC), server;
    struct connection *new;

    if (client < 0 || n_connections == MAX)
        return;
    snprintf(at.sun_path, sizeof at.sun_path, "%s", target);
    server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(server, (struct sockaddr *)&at, sizeof at) < 0) {
        close(client);
        close(server);
        return;
    }
    new = calloc(1, sizeof *new);
    if (!new)
        die("calloc");
    new->open = 1;
    new->way[0].from = new->way[1].to = client;
    new->way[0].to = new->way[1].from = server;
    connections[n_connections++] = new;
}

static void end_connection(struct connection *connection)
{
    if (!connection->open)
        return;
    close(connection->way[0].from);
    close(connection->way[0].to);
    connection->open = 0;
    write_report();
}

static int has_fault(int i, int way)
{
    return i == fault_connection && way == fault_way;
}

/* Whether nothing may go this way any more. */
static int is_stalled(int i, int way)
{
    return has_fault(i, way) && fault_done && fault_action == STALL;
}

/* True when the fault has struck and the connection is gone. */
static int strike(int i, int way)
{
    if (!has_fault(i, way) || fault_done || connections[i]->way[way].carried < fault_bytes)
        return 0;
    fault_done = 1;
    if (fault_action == STOP)
        raise(SIGSTOP);
    if (fault_action != CUT)
        return 0;
    end_connection(connections[i]);
    return 1;
}

static void carry(int i, int number)
{
    struct way *way = &connections[i]->way[number];
    size_t room = way->len - way->at;
    ssize_t sent;

    if (has_fault(i, number) && !fault_done && fault_bytes - way->carried < room)
        room = (size_t)(fault_bytes - way->carried);
    if (room == 0) {
        strike(i, number);
        return;
    }
    sent = send(way->to, way->block + way->at, room, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EAGAIN)
        return;
    if (sent < 0) {
        end_connection(connections[i]);
        return;
    }
    way->at += (size_t)sent;
    way->carried += (unsigned long long)sent;
    strike(i, number);
}

static void fill(int i, int number)
{
    struct way *way = &connections[i]->way[number];
    ssize_t got = recv(way->from, way->block, sizeof way->block, MSG_DONTWAIT);

    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) { /* what was read has been sent: the block is empty here */
        way->ended = 1;
        end_connection(connections[i]);
        return;
    }
    way->at = 0;
    way->len = (size_t)got;
}

static void serve(int listener, const char *target)
{
    while (!ending) {
        struct pollfd fds[1 + 2 * MAX] = {{.fd = listener, .events = POLLIN}};

        for (int i = 0; i < n_connections; i++)
            for (int w = 0; w < 2; w++) {
                struct way *way = &connections[i]->way[w];
                int full = way->at < way->len;

                fds[1 + 2 * i + w].fd = -1;
                if (connections[i]->open && !is_stalled(i, w)) {
                    fds[1 + 2 * i + w].fd = full ? way->to : way->from;
                    fds[1 + 2 * i + w].events = full ? POLLOUT : POLLIN;
                }
            }
        if (poll(fds, (nfds_t)(1 + 2 * n_connections), 1000) < 0)
            continue;
        for (int i = 0; i < n_connections; i++)
            for (int w = 0; w < 2; w++) {
                struct way *way = &connections[i]->way[w];

                if (!connections[i]->open || fds[1 + 2 * i + w].revents == 0)
                    continue;
                if (way->at < way->len)
                    carry(i, w);
                else
                    fill(i, w);
            }
        if (fds[0].revents)
            accept_one(listener, target);
    }
}

int main(int argc, char **argv)
{
    struct sigaction end = {.sa_handler = note_end};
    int listener;

    if (argc != 4 && argc != 8) {
        fprintf(stderr, "usage: proxy LISTEN TARGET REPORT [CONNECTION DIRECTION BYTES ACTION]\n");
        return 2;
    }
    if (argc == 8) {
        fault_connection = (int)strtol(argv[4], NULL, 10);
        fault_way = strcmp(argv[5], "s2c") == 0;
        fault_bytes = strtoull(argv[6], NULL, 10);
        fault_action = strcmp(argv[7], "cut") == 0    ? CUT
                       : strcmp(argv[7], "stop") == 0 ? STOP
                                                      : STALL;
    }
    report = argv[3];
    sigaction(SIGTERM, &end, NULL);
    signal(SIGPIPE, SIG_IGN);
    listener = listen_on(argv[1]);
    serve(listener, argv[2]);
    write_report();
    return 0;
}
