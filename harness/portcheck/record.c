/* The record on the host's disk: see record.h. */
#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crc32c.h"
#include "fail.h"
#include "memory.h"

#define NAME   "record.log"
#define TITLE  "portcheck-host record 1"
#define EVENTS "events"

/* "CCCCCCCC " */
enum { CRC_SIZE = 9 };

/* ---- Appending ---- */

int ph_record_append(struct ph_record *record, const char *text, struct ff_error *error)
{
    char *line = cm_format("%08" PRIx32 " %s\n", mf_crc32c(0, text, strlen(text)), text);
    size_t size = strlen(line), done = 0;
    ssize_t written = 0;
    while (done < size && (written = write(record->file, line + done, size - done)) > 0)
        done += (size_t)written;
    int saved = errno;
    free(line);
    if (done == size)
        return 0;
    return cm_fail(error, "%s: cannot be written: %s", record->path, strerror(saved));
}

int ph_record_sync(struct ph_record *record, struct ff_error *error)
{
    if (fdatasync(record->file) == 0)
        return 0;
    return cm_fail(error, "%s: cannot be synced: %s", record->path, strerror(errno));
}

static int append_lines(struct ph_record *record, const char *header, struct ff_error *error)
{
    int status = ph_record_append(record, TITLE, error);
    while (status == 0 && *header != '\0') {
        size_t length = strcspn(header, "\n");
        char *line = cm_duplicate(header, length);
        status = ph_record_append(record, line, error);
        free(line);
        header += length + (header[length] == '\n');
    }
    return status == 0 ? ph_record_append(record, EVENTS, error) : -1;
}

static int lock(struct ph_record *record, struct ff_error *error)
{
    if (flock(record->file, LOCK_EX | LOCK_NB) == 0)
        return 0;
    return cm_fail(error, "%s: another portcheck-host is writing it", record->path);
}

/* The entry of the record must outlive a crash of the host, too. */
static int sync_directory(const char *directory, struct ff_error *error)
{
    int file = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool synced = file >= 0 && fsync(file) == 0;
    int saved = errno;
    if (file >= 0)
        close(file);
    return synced ? 0 : cm_fail(error, "%s: cannot be synced: %s", directory, strerror(saved));
}

int ph_record_create(struct ph_record *record, const char *directory, const char *header,
                     struct ff_error *error)
{
    record->path = cm_format("%s/%s", directory, NAME);
    record->file = -1;
    if (mkdir(directory, 0777) != 0 && errno != EEXIST)
        return cm_fail(error, "%s: cannot be created: %s", directory, strerror(errno));
    record->file = open(record->path, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
    if (record->file < 0 && errno == EEXIST)
        return cm_fail(error, "%s: there is a record already: --resume continues it", directory);
    if (record->file < 0)
        return cm_fail(error, "%s: cannot be created: %s", record->path, strerror(errno));
    if (lock(record, error) != 0)
        return -1;
    if (append_lines(record, header, error) != 0 || ph_record_sync(record, error) != 0)
        return -1;
    return sync_directory(directory, error);
}

void ph_record_close(struct ph_record *record)
{
    if (record->file >= 0)
        close(record->file);
    free(record->path);
    *record = (struct ph_record){.file = -1};
}

/* ---- Reading ---- */

/* The whole file, terminated; NULL with the error. */
static char *read_all(struct ph_record *record, size_t *size, struct ff_error *error)
{
    struct stat status;
    if (fstat(record->file, &status) != 0 || status.st_size < 0) {
        cm_fail(error, "%s: cannot be read: %s", record->path, strerror(errno));
        return NULL;
    }
    char *bytes = cm_allocate((size_t)status.st_size + 1, 1);
    *size = 0;
    ssize_t got = 1;
    while (*size < (size_t)status.st_size && got > 0) {
        got = pread(record->file, bytes + *size, (size_t)status.st_size - *size, (off_t)*size);
        *size += got > 0 ? (size_t)got : 0;
    }
    if (got > 0)
        return bytes;
    cm_fail(error, "%s: cannot be read: %s", record->path, strerror(errno));
    free(bytes);
    return NULL;
}

/* The text of a line, which must end where *size says; NULL: it is damaged. */
static const char *check_line(char *line, size_t size)
{
    char expected[CRC_SIZE + 1];
    if (size < CRC_SIZE || memchr(line, '\0', size) != NULL)
        return NULL;
    line[size] = '\0';
    snprintf(expected, sizeof(expected), "%08" PRIx32 " ",
             mf_crc32c(0, line + CRC_SIZE, size - CRC_SIZE));
    return memcmp(line, expected, CRC_SIZE) == 0 ? line + CRC_SIZE : NULL;
}

/* What is called for each line; -1 with the error ends it. */
typedef int line_taker(void *context, const char *text, struct ff_error *error);

/* Calls take for each whole line. *whole: up to where they reach. */
static int read_lines(struct ph_record *record, line_taker *take, void *context, size_t *whole,
                      struct ff_error *error)
{
    size_t size = 0, number = 0;
    char *bytes = read_all(record, &size, error);
    int status = bytes != NULL ? 0 : -1;
    char *end = NULL;
    *whole = 0;
    while (status == 0 && (end = memchr(bytes + *whole, '\n', size - *whole)) != NULL) {
        char *line = bytes + *whole;
        const char *text = check_line(line, (size_t)(end - line));
        number++;
        status = text != NULL ? take(context, text, error)
                              : cm_fail(error, "%s:%zu: the line is damaged", record->path, number);
        *whole = (size_t)(end + 1 - bytes);
    }
    free(bytes);
    return status;
}

struct header_reader {
    ph_record_option *option;
    void *context;
    bool titled, over;
};

static int take_header_line(void *context, const char *text, struct ff_error *error)
{
    struct header_reader *reader = context;
    if (reader->over)
        return 0;
    if (!reader->titled) {
        reader->titled = strcmp(text, TITLE) == 0;
        return reader->titled ? 0 : cm_fail(error, "not a record that can be continued");
    }
    if (strcmp(text, EVENTS) == 0) {
        reader->over = true;
        return 0;
    }
    size_t length = strcspn(text, " ");
    char *name = cm_duplicate(text, length);
    int status =
        reader->option(reader->context, name, text + length + (text[length] == ' '), error);
    free(name);
    return status;
}

int ph_record_open(struct ph_record *record, const char *directory, ph_record_option *option,
                   void *context, struct ff_error *error)
{
    struct header_reader reader = {.option = option, .context = context};
    size_t whole = 0;
    record->path = cm_format("%s/%s", directory, NAME);
    record->file = open(record->path, O_RDWR | O_APPEND | O_CLOEXEC);
    if (record->file < 0)
        return cm_fail(error, "%s: cannot be opened: %s", record->path, strerror(errno));
    if (lock(record, error) != 0)
        return -1;
    if (read_lines(record, take_header_line, &reader, &whole, error) != 0)
        return -1;
    if (!reader.over)
        return cm_fail(error, "%s: the header is not whole: nothing was recorded, remove it",
                       record->path);
    if (ftruncate(record->file, (off_t)whole) != 0)
        return cm_fail(error, "%s: cannot be cut to its last whole line: %s", record->path,
                       strerror(errno));
    return 0;
}

/* ---- Events ---- */

static bool take_word(const char *text, const char *word, const char **rest)
{
    size_t length = strlen(word);
    if (strncmp(text, word, length) != 0 || (text[length] != ' ' && text[length] != '\0'))
        return false;
    *rest = text + length + (text[length] == ' ');
    return true;
}

static bool decode_line(const char *rest, struct pc_line *line)
{
    char bytes[PC_LINE_SIZE + 1];
    int size = snprintf(bytes, sizeof(bytes), "%s\n", rest);
    return size > 0 && size <= PC_LINE_SIZE && pc_line_decode(bytes, (size_t)size, line);
}

/* False: no event of this version. */
static bool parse_event(const char *text, struct ph_event *event, struct pc_line *line)
{
    static const char *const words[PH_EVENT_KINDS] = {
        [PH_EVENT_SESSION] = "session", [PH_EVENT_ON] = "on",           [PH_EVENT_LINE] = "line",
        [PH_EVENT_CUT] = "cut",         [PH_EVENT_TIMEOUT] = "timeout", [PH_EVENT_NOISE] = "noise",
    };
    char *end = NULL;
    *event = (struct ph_event){.milliseconds = strtoull(text, &end, 10), .line = line};
    if (end == text || *end != ' ')
        return false;
    const char *rest = NULL;
    size_t kind = 0;
    while (kind < PH_EVENT_KINDS && !take_word(end + 1, words[kind], &rest))
        kind++;
    event->kind = (enum ph_event_kind)kind;
    if (kind == PH_EVENT_ON)
        return sscanf(rest, "%" SCNu64, &event->number) == 1;
    if (kind == PH_EVENT_NOISE)
        return sscanf(rest, "%" SCNu64 " %" SCNu64, &event->number, &event->other) == 2;
    return kind < PH_EVENT_KINDS && (kind != PH_EVENT_LINE || decode_line(rest, line));
}

struct replayer {
    struct ph_judge *judge;
    bool events;
};

static int take_event_line(void *context, const char *text, struct ff_error *error)
{
    struct replayer *replayer = context;
    struct ph_event event;
    struct pc_line line;
    if (!replayer->events) {
        replayer->events = strcmp(text, EVENTS) == 0;
        return 0;
    }
    if (!parse_event(text, &event, &line))
        return cm_fail(error, "the record has an event that is not known: %s", text);
    ph_judge_event(replayer->judge, &event);
    return 0;
}

int ph_record_replay(struct ph_record *record, struct ph_judge *judge, struct ff_error *error)
{
    struct replayer replayer = {.judge = judge};
    size_t whole = 0;
    return read_lines(record, take_event_line, &replayer, &whole, error);
}
