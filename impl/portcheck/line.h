/*
 * The lines that portcheck, on the board, and portcheck-host send each other over a
 * serial line, TCP or a pipe:
 *
 *     @pc RUN SEQUENCE WORD ARGUMENT... *CCCCCCCC\n
 *
 * At most PC_LINE_SIZE bytes, the newline counted, all printable ASCII. RUN: 8
 * hexadecimal digits, chosen by the host for a whole validation. SEQUENCE: decimal,
 * counts the lines of the sender since it was started. An argument is a word, or
 * KEY=VALUE; bytes that a word cannot have are written as %hh. CCCCCCCC: the CRC32C of
 * all bytes before " *". Digits above 9 are lower case.
 *
 * Whatever else arrives is ignored and counted: boot messages, halves of lines, lines
 * with other bytes than were sent. A line may follow such bytes without a newline
 * between, because '@' stands nowhere in a line but at its start; a line that is cut
 * off by the next one is lost, the next one is not.
 *
 * From the board (a value in brackets may be missing):
 *
 *     hello program=portcheck/VERSION protocol=1 cycle=K [mutant=WORD]
 *     target fs=TYPE device=MAJOR:MINOR [uuid=U] [mark=M [marked=1]] [serial=S] source=S
 *            path=DIR options=LIST         mark: of DIR/portcheck-mark, which a file system keeps
 *                                          until it is made anew; marked: made by this start;
 *                                          serial: of the disk or card, its CID if it has one
 *     canary NAME ok                       or: bad reason=TEXT
 *     found version=N point=rename|slots [created=1]
 *                                          the state at the start, recovered; created: there
 *                                          was no database, so it was made, canaries too
 *     found torn=1 reason=TEXT             what is there is not whole; nothing is committed
 *     verified version=N ok                or: failed reason=TEXT; of each kept version, the
 *                                          current one last
 *     committing N                         before the commit begins
 *     committed N                          only after the commit returned durable
 *     rate commits=N microseconds=M        after every 100 commits, and at the end: since the
 *                                          start of the cycle, only the time of the commits
 *     refused [unsupported=1] reason=TEXT  the target is not the one that was told, has
 *                                          changed, or does not support the commit point
 *     error reason=TEXT                    a call failed; it cannot go on
 *     bye commits=N                        the end: told to stop, or all commits are done
 *
 * A text may be cut to fit. After refused, error, torn and bye nothing follows. When the host
 * repeats its run line for a cycle that is under way, its hello was lost: hello, target and
 * found are sent again. A run line for another cycle ends this one, without bye, and begins
 * that one.
 *
 * From the host:
 *
 *     run RUN cycle=K commits=N [files=F]  until the hello of that cycle has come;
 *                                          commits=0: until it is stopped
 *     stop
 */
#ifndef PORTCHECK_LINE_H
#define PORTCHECK_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PC_PROTOCOL 1

enum { PC_LINE_SIZE = 240, PC_ARGUMENTS = 16 };

/* ---- Writing ---- */

/* A line in the making; after pc_message_end() its bytes, terminated. */
struct pc_message {
    char text[PC_LINE_SIZE + 1];
    size_t length;
    bool failed;
};

void pc_message_begin(struct pc_message *message, uint32_t run, uint64_t sequence,
                      const char *word);

/* Adds KEY=VALUE, or only the value, which then must not be empty, if the key is NULL.
 * A key is of letters, digits, '-' and '_'. */
void pc_message_add(struct pc_message *message, const char *key, const char *value);
void pc_message_add_number(struct pc_message *message, const char *key, uint64_t value);

/* The same with a text for people, of which as much is added as fits. */
void pc_message_add_text(struct pc_message *message, const char *key, const char *text);

/* Closes the line. False, and nothing is to be sent: too long, too many arguments, or
 * a word or key that cannot be one. */
bool pc_message_end(struct pc_message *message);

/* ---- Reading ---- */

/* A line that arrived whole. It may be copied. */
struct pc_line {
    uint32_t run;
    uint64_t sequence;
    char text[PC_LINE_SIZE + 1]; /* the word and the arguments, each terminated */
    uint8_t starts[1 + PC_ARGUMENTS];
    size_t argument_count;
};

const char *pc_line_word(const struct pc_line *line);

/* An argument as it was given to pc_message_add(), "KEY=VALUE" if it had a key; NULL
 * if there are not so many. */
const char *pc_line_argument(const struct pc_line *line, size_t index);

/* The value of the first argument of that key, or NULL. */
const char *pc_line_value(const struct pc_line *line, const char *key);

/* Whether there is an argument without a key of this text, such as "ok". */
bool pc_line_has(const struct pc_line *line, const char *text);

/* The number that the value of that key is, or the argument of that index, without
 * sign or leading zeros. False: there is none, or it is no such number. */
bool pc_line_number(const struct pc_line *line, const char *key, uint64_t *number);
bool pc_line_number_at(const struct pc_line *line, size_t index, uint64_t *number);

/* Decodes one line of that many bytes, with its newline and nothing before. */
bool pc_line_decode(const char *bytes, size_t size, struct pc_line *line);

/* Puts lines together from bytes in any portions. All zero at the start. */
struct pc_reader {
    char bytes[PC_LINE_SIZE];
    size_t used;
    bool too_long;    /* the bytes up to the next newline are not kept */
    uint64_t foreign; /* lines, or what came before a line, that never began like one */
    uint64_t garbled; /* lines that began like one, and were cut off or changed */
};

/* Takes one byte. True when it has completed a line, which is decoded into *line. */
bool pc_reader_take(struct pc_reader *reader, char byte, struct pc_line *line);

#endif
