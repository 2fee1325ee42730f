/* The lines between portcheck and portcheck-host: what is sent arrives or is lost, never changed.
 */
#include "line.h"
#include "unit.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { RUN = 0x00c0ffee };

static struct pc_message message_of(uint64_t sequence, const char *word, const char *argument)
{
    struct pc_message message;
    pc_message_begin(&message, RUN, sequence, word);
    if (argument != NULL)
        pc_message_add(&message, NULL, argument);
    CU_ASSERT_TRUE_FATAL(pc_message_end(&message));
    return message;
}

/* Gives the reader these bytes; how many lines come out, the last of them in *line. */
static size_t feed(struct pc_reader *reader, const char *bytes, size_t size, struct pc_line *line)
{
    size_t lines = 0;
    struct pc_line taken;
    for (size_t i = 0; i < size; i++) {
        if (pc_reader_take(reader, bytes[i], &taken)) {
            *line = taken;
            lines++;
        }
    }
    return lines;
}

static size_t feed_text(struct pc_reader *reader, const char *text, struct pc_line *line)
{
    return feed(reader, text, strlen(text), line);
}

/* The bytes on the wire, so that both ends can be written from the description. */
static void bytes_on_the_wire(void)
{
    struct pc_message message;
    pc_message_begin(&message, 0x1234abcd, 7, "committed");
    pc_message_add_number(&message, NULL, 42);
    CU_ASSERT_TRUE(pc_message_end(&message));
    CU_ASSERT_STRING_EQUAL(message.text, "@pc 1234abcd 7 committed 42 *35d73f69\n");
    CU_ASSERT_EQUAL(message.length, strlen(message.text));
}

static void there_and_back(void)
{
    struct pc_message message;
    struct pc_line line;
    pc_message_begin(&message, RUN, UINT64_MAX, "verified");
    pc_message_add_number(&message, "version", UINT64_MAX);
    pc_message_add(&message, NULL, "failed");
    pc_message_add(&message, "reason", "100% of \"a b\" is\n\x01@\xc3\xa9 = *");
    pc_message_add(&message, "empty", "");
    CU_ASSERT_TRUE_FATAL(pc_message_end(&message));
    CU_ASSERT_TRUE_FATAL(pc_line_decode(message.text, message.length, &line));
    CU_ASSERT_EQUAL(line.run, RUN);
    CU_ASSERT_EQUAL(line.sequence, UINT64_MAX);
    CU_ASSERT_STRING_EQUAL(pc_line_word(&line), "verified");
    CU_ASSERT_EQUAL(line.argument_count, 4);
    CU_ASSERT_STRING_EQUAL(pc_line_value(&line, "reason"), "100% of \"a b\" is\n\x01@\xc3\xa9 = *");
    CU_ASSERT_STRING_EQUAL(pc_line_value(&line, "empty"), "");
    CU_ASSERT_PTR_NULL(pc_line_value(&line, "versio"));
    CU_ASSERT_PTR_NULL(pc_line_argument(&line, 4));
    CU_ASSERT_TRUE(pc_line_has(&line, "failed"));
    CU_ASSERT_FALSE(pc_line_has(&line, "ok"));
    uint64_t number = 0;
    CU_ASSERT_TRUE(pc_line_number(&line, "version", &number));
    CU_ASSERT_EQUAL(number, UINT64_MAX);
    CU_ASSERT_FALSE(pc_line_number_at(&line, 1, &number));
    struct pc_line copy = line;
    memset(&line, 0, sizeof(line));
    CU_ASSERT_STRING_EQUAL(pc_line_argument(&copy, 1), "failed");
}

static void numbers(void)
{
    static const char *const wrong[] = {"-1", "+1", "01", "1x", "18446744073709551616", "1,0"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct pc_message message = message_of(0, "committed", wrong[i]);
        struct pc_line line;
        uint64_t number;
        CU_ASSERT_TRUE_FATAL(pc_line_decode(message.text, message.length, &line));
        CU_ASSERT_FALSE(pc_line_number_at(&line, 0, &number));
    }
}

/* Each byte of a line changed to each other value, or left out: it is lost. */
static void garbled(void)
{
    struct pc_message message = message_of(3, "committed", "1000");
    for (size_t i = 0; i < message.length; i++) {
        for (int value = 0; value < 256; value++) {
            struct pc_reader reader = {0};
            struct pc_line line;
            struct pc_message changed = message;
            changed.text[i] = (char)value;
            bool same = changed.text[i] == message.text[i];
            size_t lines = feed(&reader, changed.text, changed.length, &line);
            CU_ASSERT_EQUAL(lines, same ? 1 : 0);
        }
        struct pc_reader reader = {0};
        struct pc_line line;
        size_t lines = feed(&reader, message.text, i, &line);
        lines += feed(&reader, message.text + i + 1, message.length - i - 1, &line);
        CU_ASSERT_EQUAL(lines, 0);
    }
}

/* A line in any two portions, and a line that is cut off by the next one at any byte. */
static void split_and_joined(void)
{
    struct pc_message first = message_of(3, "committing", "1000");
    struct pc_message second = message_of(4, "committed", "1000");
    for (size_t i = 0; i < first.length; i++) {
        struct pc_reader reader = {0};
        struct pc_line line;
        CU_ASSERT_EQUAL(feed(&reader, first.text, i, &line), 0);
        CU_ASSERT_EQUAL(feed(&reader, first.text + i, first.length - i, &line), 1);
        CU_ASSERT_EQUAL(reader.garbled + reader.foreign, 0);

        CU_ASSERT_EQUAL(feed(&reader, first.text, i, &line), 0);
        CU_ASSERT_EQUAL(feed(&reader, second.text, second.length, &line), 1);
        CU_ASSERT_EQUAL(line.sequence, 4);
        CU_ASSERT_EQUAL(reader.garbled + reader.foreign, i > 0 ? 1 : 0);
        CU_ASSERT_EQUAL(reader.garbled, i >= strlen("@pc ") ? 1 : 0);
    }
}

static void console_noise(void)
{
    struct pc_reader reader = {0};
    struct pc_line line;
    struct pc_message message = message_of(0, "hello", NULL);
    CU_ASSERT_EQUAL(feed_text(&reader, "\r\n[    1.5] mmc0: new card\r\n\nroot@board:~# ", &line),
                    0);
    CU_ASSERT_EQUAL(feed(&reader, message.text, message.length - 1, &line), 0);
    CU_ASSERT_EQUAL(feed_text(&reader, "\r\n", &line), 1);
    CU_ASSERT_STRING_EQUAL(pc_line_word(&line), "hello");
    CU_ASSERT_EQUAL(reader.garbled, 0);
    CU_ASSERT_EQUAL(reader.foreign, 3);
    /* Something in the middle makes it another line. */
    CU_ASSERT_EQUAL(feed(&reader, message.text, 8, &line), 0);
    CU_ASSERT_EQUAL(feed_text(&reader, "[    2.0] usb 1-1: new device", &line), 0);
    CU_ASSERT_EQUAL(feed(&reader, message.text + 8, message.length - 8, &line), 0);
    CU_ASSERT_EQUAL(reader.garbled, 1);
}

static void too_long(void)
{
    struct pc_reader reader = {0};
    struct pc_line line;
    struct pc_message message = message_of(9, "committed", "5");
    for (int i = 0; i < 1000; i++)
        CU_ASSERT_FALSE(pc_reader_take(&reader, 'x', &line));
    CU_ASSERT_EQUAL(feed(&reader, message.text, message.length, &line), 1);
    CU_ASSERT_EQUAL(feed(&reader, message.text, message.length - 1, &line), 0);
    for (int i = 0; i < 1000; i++)
        CU_ASSERT_FALSE(pc_reader_take(&reader, '0', &line));
    CU_ASSERT_EQUAL(feed_text(&reader, "\n", &line), 0);
    CU_ASSERT_EQUAL(reader.foreign, 1);
    CU_ASSERT_EQUAL(reader.garbled, 1);
    CU_ASSERT_EQUAL(feed(&reader, message.text, message.length, &line), 1);
}

/* The longest line passes, also with "\r\n"; one byte more is not made at all. */
static void longest(void)
{
    char value[PC_LINE_SIZE + 1] = {0};
    size_t most = 0;
    for (size_t size = 1; size < PC_LINE_SIZE; size++) {
        struct pc_message message;
        struct pc_line line;
        memset(value, 'v', size);
        pc_message_begin(&message, RUN, 1, "error");
        pc_message_add(&message, "reason", value);
        if (!pc_message_end(&message))
            break;
        most = message.length;
        struct pc_reader reader = {0};
        CU_ASSERT_EQUAL(feed(&reader, message.text, message.length - 1, &line), 0);
        CU_ASSERT_EQUAL(feed_text(&reader, "\r\n", &line), 1);
        CU_ASSERT_STRING_EQUAL(pc_line_value(&line, "reason"), value);
    }
    CU_ASSERT_EQUAL(most, PC_LINE_SIZE);
}

/* A text for people is cut, at a whole byte, and the line still passes. */
static void text_that_is_cut(void)
{
    char text[2 * PC_LINE_SIZE];
    for (size_t length = 1; length < sizeof(text); length++) {
        struct pc_message message;
        struct pc_line line;
        memset(text, ' ', length);
        text[0] = 'x';
        text[length] = '\0';
        pc_message_begin(&message, RUN, 1, "error");
        pc_message_add_text(&message, "reason", text);
        CU_ASSERT_TRUE_FATAL(pc_message_end(&message));
        CU_ASSERT_TRUE(pc_line_decode(message.text, message.length, &line));
        const char *value = pc_line_value(&line, "reason");
        CU_ASSERT_TRUE(strncmp(value, text, strlen(value)) == 0);
        CU_ASSERT_TRUE(strlen(value) == length || message.length > PC_LINE_SIZE - 3);
    }
}

static void what_cannot_be_sent(void)
{
    struct pc_message message;
    pc_message_begin(&message, RUN, 1, "two words");
    CU_ASSERT_FALSE(pc_message_end(&message));
    pc_message_begin(&message, RUN, 1, "");
    CU_ASSERT_FALSE(pc_message_end(&message));
    pc_message_begin(&message, RUN, 1, "hello");
    pc_message_add(&message, "a=b", "c");
    pc_message_add(&message, "d", "e");
    CU_ASSERT_FALSE(pc_message_end(&message));
    pc_message_begin(&message, RUN, 1, "hello");
    pc_message_add(&message, NULL, "");
    CU_ASSERT_FALSE(pc_message_end(&message));
    for (size_t count = 0; count <= PC_ARGUMENTS + 1; count++) {
        pc_message_begin(&message, RUN, 1, "hello");
        for (size_t i = 0; i < count; i++)
            pc_message_add(&message, NULL, "x");
        CU_ASSERT_EQUAL(pc_message_end(&message), count <= PC_ARGUMENTS);
    }
}

/* A line of another run is a line: who asked for this run must compare. */
static void another_run(void)
{
    struct pc_message message;
    struct pc_reader reader = {0};
    struct pc_line line;
    pc_message_begin(&message, RUN + 1, 0, "committed");
    pc_message_add_number(&message, NULL, 9);
    CU_ASSERT_TRUE(pc_message_end(&message));
    CU_ASSERT_EQUAL(feed(&reader, message.text, message.length, &line), 1);
    CU_ASSERT_EQUAL(line.run, RUN + 1);
}

static const struct unit_test tests[] = {
    {"bytes on the wire", bytes_on_the_wire},
    {"there and back", there_and_back},
    {"numbers", numbers},
    {"garbled", garbled},
    {"split and joined", split_and_joined},
    {"console noise", console_noise},
    {"too long", too_long},
    {"longest", longest},
    {"a text that is cut", text_that_is_cut},
    {"what cannot be sent", what_cannot_be_sent},
    {"another run", another_run},
};

UNIT_MAIN("portcheck line", tests)
