/* hiredis on libev: what C offers, on one thread.
 *
 *   apt-get install libhiredis-dev libev-dev
 *   cc -std=gnu11 -O2 -Wall -Wextra -o hiredis_ev hiredis_ev.c -lhiredis -lev
 *
 * The same command line, JSON and exit status as the programs in benches/src/bin, of which it has the workloads `pops`
 * and `drain`. Connects are paced as theirs are: see "Ten thousand connections" in benches/src/lib.rs.
 */

#include <ev.h>
#include <hiredis/async.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* After the headers of hiredis, which it needs. */
#include <hiredis/adapters/libev.h>

#define NAME "hiredis_ev"
#define WINDOW 256
#define PROOF 64

static const char *host = "127.0.0.1", *unix_path;
static int port = 6379;
static long clients = 500, consumers = 500, elements = 100000, timeout_s = 1, cron_ms = 200;

static struct ev_loop *loop;
static double begun;
static long wanted, dialed, window = WINDOW;
static long nil, taken, closed;
static const char *list, *timeout_text;
static redisCallbackFn *answered;

static ev_timer cron;
static double cron_begun;
static long cron_tick;
static long *late_us;
static size_t late_count, late_room;

static void fail(const char *why) {
    fprintf(stderr, NAME ": %s\n", why);
    exit(1);
}

/* Seconds of CLOCK_MONOTONIC. The loop's own time stands still while callbacks run. */
static double now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Tick k is due at the beginning + k * period; those that were missed are skipped. libev's own repetition loses the
 * phase when it is late by more than a period, so that each tick is set on its own. */
static void cron_set(struct ev_loop *loop) {
    double period = (double)cron_ms / 1000;
    do {
        cron_tick++;
    } while (cron_begun + (double)cron_tick * period <= now());
    ev_now_update(loop);
    ev_timer_set(&cron, cron_begun + (double)cron_tick * period - now(), 0.);
    ev_timer_start(loop, &cron);
}

static void cron_run(struct ev_loop *loop, ev_timer *timer, int events) {
    (void)timer, (void)events;
    double late = now() - (cron_begun + (double)cron_tick * (double)cron_ms / 1000);
    if (late_count == late_room) {
        late_room = 2 * late_room + 64;
        late_us = realloc(late_us, late_room * sizeof *late_us);
        if (!late_us) fail("out of memory");
    }
    late_us[late_count++] = late > 0 ? (long)(late * 1e6) : 0;
    cron_set(loop);
}

static void check(redisAsyncContext *connection, redisReply *reply) {
    if (!reply) fail(connection->err ? connection->errstr : "a connection was lost");
    if (reply->type == REDIS_REPLY_ERROR) fail(reply->str);
}

static void ask(redisAsyncContext *connection) {
    const char *args[] = {"BRPOP", list, timeout_text};
    if (redisAsyncCommandArgv(connection, answered, NULL, 3, args, NULL) != REDIS_OK)
        fail("cannot ask");
}

static void dial(void);

/* An answer on this connection shows that the server has accepted all before it. */
static void proved(redisAsyncContext *connection, void *reply, void *data) {
    (void)data;
    check(connection, reply);
    window += PROOF;
    ask(connection);
    dial();
}

static void connected(const redisAsyncContext *connection, int status) {
    if (status != REDIS_OK) fail(connection->errstr);
}

static void disconnected(const redisAsyncContext *connection, int status) {
    if (status != REDIS_OK) fail(connection->errstr);
    if (++closed == wanted) ev_break(loop, EVBREAK_ALL);
}

static void dial(void) {
    for (; dialed < wanted && dialed < window; dialed++) {
        redisAsyncContext *connection =
            unix_path ? redisAsyncConnectUnix(unix_path) : redisAsyncConnect(host, port);
        if (!connection) fail("out of memory");
        if (connection->err) fail(connection->errstr);
        redisLibevAttach(loop, connection);
        redisAsyncSetConnectCallback(connection, connected);
        redisAsyncSetDisconnectCallback(connection, disconnected);
        if (dialed % PROOF == PROOF - 1)
            redisAsyncCommand(connection, proved, NULL, "PING");
        else
            ask(connection);
    }
}

static void begin(const char *of, long connections, redisCallbackFn *callback) {
    static char text[24];
    snprintf(text, sizeof text, "%ld", timeout_s);
    list = of, timeout_text = text, wanted = connections, answered = callback;
    dial();
}

static void got_nil(redisAsyncContext *connection, void *reply, void *data) {
    (void)data;
    check(connection, reply);
    if (((redisReply *)reply)->type != REDIS_REPLY_NIL) fail("a pop was not to get anything");
    nil++;
    redisAsyncDisconnect(connection);
}

static void pops(void) {
    cron_begun = now();
    ev_init(&cron, cron_run);
    cron_set(loop);
    begin("list", clients, got_nil);
    ev_run(loop, 0);
    printf("{\"nil\":%ld,\"wall_s\":%.6f,\"cron_late_us\":[", nil, now() - begun);
    for (size_t i = 0; i < late_count; i++) printf("%s%ld", i ? "," : "", late_us[i]);
    printf("]}\n");
}

static void got_element(redisAsyncContext *connection, void *reply, void *data) {
    (void)data;
    check(connection, reply);
    redisReply *popped = reply;
    if (popped->type != REDIS_REPLY_ARRAY || popped->elements != 2) fail("no element");
    if (++taken == elements)
        ev_break(loop, EVBREAK_ALL);
    else
        ask(connection);
}

static void drain(void) {
    timeout_s = 0;
    begin("queue", consumers, got_element);
    ev_run(loop, 0);
    printf("{\"elements\":%ld,\"wall_s\":%.6f}\n", elements, now() - begun);
}

/* The value of `key=value`, if this is the key. */
static const char *value_of(const char *arg, const char *key) {
    size_t len = strlen(key);
    return !strncmp(arg, key, len) && arg[len] == '=' ? arg + len + 1 : NULL;
}

static int number(const char *arg, const char *key, long *number) {
    const char *value = value_of(arg, key);
    char *end;
    if (!value) return 0;
    *number = strtol(value, &end, 10);
    if (*number < 1 || *end) fail("a number from 1 is wanted");
    return 1;
}

int main(int argc, char **argv) {
    if (argc < 2) fail("usage: PROGRAM pops|drain key=value ...");
    int is_pops = !strcmp(argv[1], "pops");
    if (!is_pops && strcmp(argv[1], "drain")) {
        fprintf(stderr, NAME " does not run %s: it has pops and drain only\n", argv[1]);
        return 3;
    }
    for (char **arg = argv + 2; *arg; arg++) {
        const char *value;
        long at;
        if ((value = value_of(*arg, "host"))) host = value;
        else if ((value = value_of(*arg, "socket"))) unix_path = value;
        else if (number(*arg, "port", &at)) port = (int)at;
        else if (is_pops && number(*arg, "clients", &clients)) continue;
        else if (is_pops && number(*arg, "timeout", &timeout_s)) continue;
        else if (is_pops && number(*arg, "cron_ms", &cron_ms)) continue;
        else if (!is_pops && number(*arg, "consumers", &consumers)) continue;
        else if (!is_pops && number(*arg, "elements", &elements)) continue;
        else fail("an argument is not known");
    }
    loop = EV_DEFAULT;
    begun = now();
    is_pops ? pops() : drain();
    return 0;
}
