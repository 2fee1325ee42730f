/* The lines between portcheck and portcheck-host: see line.h. */
#include "line.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "crc32c.h"

#define START     "@pc "
#define START_LEN (sizeof(START) - 1)

/* " *CCCCCCCC\n" */
enum { TAIL_SIZE = 11, CRC_DIGITS = 8, RUN_DIGITS = 8 };

/* ---- Writing ---- */

static bool is_word_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("-_./:=+,", c) != NULL);
}

static bool is_name(const char *text)
{
    for (const char *c = text; *c != '\0'; c++)
        if (!is_word_byte(*c) || strchr("./:=+,", *c) != NULL)
            return false;
    return *text != '\0';
}

/* Room for this many bytes and the tail. */
static bool has_room(const struct pc_message *message, size_t size)
{
    return message->length + size + TAIL_SIZE <= PC_LINE_SIZE;
}

static bool add_bytes(struct pc_message *message, const char *bytes, size_t size)
{
    if (message->failed || !has_room(message, size))
        return false;
    memcpy(message->text + message->length, bytes, size);
    message->length += size;
    return true;
}

static bool add_byte_encoded(struct pc_message *message, char byte)
{
    char escape[4];
    if (is_word_byte(byte))
        return add_bytes(message, &byte, 1);
    snprintf(escape, sizeof(escape), "%%%02x", (unsigned)(unsigned char)byte);
    return add_bytes(message, escape, 3);
}

/* " KEY=" or " " */
static bool add_key(struct pc_message *message, const char *key)
{
    if (!add_bytes(message, " ", 1))
        return false;
    if (key == NULL)
        return true;
    return is_name(key) && add_bytes(message, key, strlen(key)) && add_bytes(message, "=", 1);
}

void pc_message_begin(struct pc_message *message, uint32_t run, uint64_t sequence, const char *word)
{
    char start[64];
    int size = snprintf(start, sizeof(start), START "%08" PRIx32 " %" PRIu64 " ", run, sequence);
    *message = (struct pc_message){0};
    message->failed = !is_name(word) || !add_bytes(message, start, (size_t)size) ||
                      !add_bytes(message, word, strlen(word));
}

void pc_message_add(struct pc_message *message, const char *key, const char *value)
{
    bool added = add_key(message, key) && (key != NULL || *value != '\0');
    for (const char *c = value; added && *c != '\0'; c++)
        added = add_byte_encoded(message, *c);
    message->failed = !added;
}

void pc_message_add_number(struct pc_message *message, const char *key, uint64_t value)
{
    char text[32];
    snprintf(text, sizeof(text), "%" PRIu64, value);
    pc_message_add(message, key, text);
}

void pc_message_add_text(struct pc_message *message, const char *key, const char *text)
{
    message->failed = !add_key(message, key);
    for (const char *c = text; !message->failed && *c != '\0'; c++)
        if (!add_byte_encoded(message, *c))
            break;
}

bool pc_message_end(struct pc_message *message)
{
    struct pc_line line;
    if (message->failed)
        return false;
    uint32_t crc = mf_crc32c(0, message->text, message->length);
    snprintf(message->text + message->length, TAIL_SIZE + 1, " *%08" PRIx32 "\n", crc);
    message->length += TAIL_SIZE;
    /* What cannot be read back, such as too many arguments, is not sent. */
    message->failed = !pc_line_decode(message->text, message->length, &line);
    return !message->failed;
}

/* ---- Reading a line ---- */

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool take_hex(const char *digits, size_t count, uint32_t *number)
{
    *number = 0;
    for (size_t i = 0; i < count; i++) {
        int digit = digit_of(digits[i]);
        if (digit < 0)
            return false;
        *number = *number << 4 | (uint32_t)digit;
    }
    return true;
}

static bool take_number(const char *text, uint64_t *number)
{
    *number = 0;
    if (*text == '\0' || (text[0] == '0' && text[1] != '\0'))
        return false;
    for (; *text != '\0'; text++) {
        unsigned digit = (unsigned)(*text - '0');
        if (digit > 9 || *number > (UINT64_MAX - digit) / 10)
            return false;
        *number = *number * 10 + digit;
    }
    return true;
}

/* Copies a word of that many bytes, decoded and terminated; returns the end, or NULL. */
static char *take_word(const char *from, size_t size, char *to)
{
    const char *end = from + size;
    if (size == 0)
        return NULL;
    while (from < end) {
        uint32_t byte = (unsigned char)*from++;
        if (byte == '%') {
            if (end - from < 2 || !take_hex(from, 2, &byte) || byte == 0)
                return NULL;
            from += 2;
        } else if (!is_word_byte((char)byte)) {
            return NULL;
        }
        *to++ = (char)byte;
    }
    *to++ = '\0';
    return to;
}

/* The sequence, the word and the arguments. */
static bool take_words(const char *from, const char *end, struct pc_line *line)
{
    char *to = line->text;
    size_t words = 0;
    for (bool first = true; from <= end; first = false) {
        const char *space = memchr(from, ' ', (size_t)(end - from));
        const char *word_end = space != NULL ? space : end;
        char *next = take_word(from, (size_t)(word_end - from), to);
        if (next == NULL)
            return false;
        if (first) {
            if (!take_number(to, &line->sequence))
                return false;
        } else if (words > PC_ARGUMENTS) {
            return false;
        } else {
            line->starts[words++] = (uint8_t)(to - line->text);
            to = next;
        }
        from = word_end + 1;
    }
    line->argument_count = words - 1;
    return words > 0 && is_name(line->text);
}

bool pc_line_decode(const char *bytes, size_t size, struct pc_line *line)
{
    uint32_t crc;
    *line = (struct pc_line){0};
    if (size < START_LEN + RUN_DIGITS + 1 + TAIL_SIZE || size > PC_LINE_SIZE)
        return false;
    const char *tail = bytes + size - TAIL_SIZE;
    const char *run = bytes + START_LEN;
    return memcmp(bytes, START, START_LEN) == 0 && memcmp(tail, " *", 2) == 0 &&
           bytes[size - 1] == '\n' && take_hex(tail + 2, CRC_DIGITS, &crc) &&
           crc == mf_crc32c(0, bytes, size - TAIL_SIZE) && take_hex(run, RUN_DIGITS, &line->run) &&
           run[RUN_DIGITS] == ' ' && take_words(run + RUN_DIGITS + 1, tail, line);
}

const char *pc_line_word(const struct pc_line *line)
{
    return line->text;
}

const char *pc_line_argument(const struct pc_line *line, size_t index)
{
    return index < line->argument_count ? line->text + line->starts[1 + index] : NULL;
}

const char *pc_line_value(const struct pc_line *line, const char *key)
{
    size_t length = strlen(key);
    for (size_t i = 0; i < line->argument_count; i++) {
        const char *argument = pc_line_argument(line, i);
        if (strncmp(argument, key, length) == 0 && argument[length] == '=')
            return argument + length + 1;
    }
    return NULL;
}

bool pc_line_has(const struct pc_line *line, const char *text)
{
    for (size_t i = 0; i < line->argument_count; i++)
        if (strcmp(pc_line_argument(line, i), text) == 0)
            return true;
    return false;
}

bool pc_line_number(const struct pc_line *line, const char *key, uint64_t *number)
{
    const char *value = pc_line_value(line, key);
    return value != NULL && take_number(value, number);
}

bool pc_line_number_at(const struct pc_line *line, size_t index, uint64_t *number)
{
    const char *argument = pc_line_argument(line, index);
    return argument != NULL && take_number(argument, number);
}

/* ---- Putting lines together ---- */

static bool begins_like_a_line(const struct pc_reader *reader)
{
    return reader->used >= START_LEN && memcmp(reader->bytes, START, START_LEN) == 0;
}

/* What is there is no line and is counted, unless it is nothing. */
static void give_up(struct pc_reader *reader)
{
    if (begins_like_a_line(reader))
        reader->garbled++;
    else if (reader->used > 0)
        reader->foreign++;
    reader->used = 0;
    reader->too_long = false;
}

/* A serial console ends its lines with "\r\n". */
static bool take_end(struct pc_reader *reader, struct pc_line *line)
{
    if (reader->used > 0 && reader->bytes[reader->used - 1] == '\r')
        reader->used--;
    if (!reader->too_long && reader->used < PC_LINE_SIZE) {
        reader->bytes[reader->used] = '\n';
        if (pc_line_decode(reader->bytes, reader->used + 1, line)) {
            reader->used = 0;
            return true;
        }
    }
    give_up(reader);
    return false;
}

bool pc_reader_take(struct pc_reader *reader, char byte, struct pc_line *line)
{
    if (byte == '\n')
        return take_end(reader, line);
    if (byte == '@')
        give_up(reader);
    /* The newline still needs a place, a carriage return too. */
    if (reader->used == PC_LINE_SIZE)
        reader->too_long = true;
    if (!reader->too_long)
        reader->bytes[reader->used++] = byte;
    return false;
}
