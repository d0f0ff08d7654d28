/* hiredis' reader, for the bench `decode`.
 *
 *   apt-get install libhiredis-dev
 *   cc -std=gnu11 -O2 -Wall -Wextra -o hiredis_reader hiredis_reader.c -lhiredis
 *
 * hiredis_reader FILE PIECE PASSES feeds the replies in FILE to one reader, PIECE bytes at a time, once to grow its
 * memory and then PASSES times, and prints a line of four numbers: the nanoseconds of all those passes, and in one pass
 * the replies, the strings in them and the bytes of these.
 */

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static long replies, strings, bytes;

static void fail(const char *why) {
    fprintf(stderr, "hiredis_reader: %s\n", why);
    exit(1);
}

static long long now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void count(const redisReply *reply) {
    if (reply->type == REDIS_REPLY_STRING) {
        strings++;
        bytes += (long)reply->len;
    }
    if (reply->type == REDIS_REPLY_ARRAY)
        for (size_t i = 0; i < reply->elements; i++) count(reply->element[i]);
}

/* Replies are looked into in the first pass only: the others are timed. */
static void pass(redisReader *reader, const char *input, size_t length, size_t piece, int is_first) {
    for (size_t start = 0; start < length; start += piece) {
        size_t end = start + piece < length ? start + piece : length;
        if (redisReaderFeed(reader, input + start, end - start) != REDIS_OK) fail(reader->errstr);
        for (;;) {
            void *reply;
            if (redisReaderGetReply(reader, &reply) != REDIS_OK) fail(reader->errstr);
            if (!reply) break;
            if (is_first) {
                replies++;
                count(reply);
            }
            freeReplyObject(reply);
        }
    }
}

int main(int argc, char **argv) {
    if (argc != 4) fail("FILE PIECE PASSES");
    size_t piece = strtoul(argv[2], NULL, 10);
    long passes = strtol(argv[3], NULL, 10);
    FILE *file = fopen(argv[1], "rb");
    if (!file || fseek(file, 0, SEEK_END) || piece == 0) fail("no such file, or no piece");
    size_t length = (size_t)ftell(file);
    rewind(file);
    char *input = malloc(length);
    if (!input || fread(input, 1, length, file) != length) fail("the file cannot be read");
    redisReader *reader = redisReaderCreate();
    if (!reader) fail("no memory");

    pass(reader, input, length, piece, 1);
    long long begun = now_ns();
    for (long done = 0; done < passes; done++) pass(reader, input, length, piece, 0);
    printf("%lld %ld %ld %ld\n", now_ns() - begun, replies, strings, bytes);
    return 0;
}
