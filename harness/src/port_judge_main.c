/*
 * port-judge: what `crashmatrix port` runs on a port's directories.
 *
 *     port-judge need ADAPTER... OPERATION...   the operation must answer OK; its lines are printed
 *     port-judge init DIR POINT                 the reference creates a database
 *     port-judge check CASE POINT MS ADAPTER... judges the state in the current directory;
 *                                               $CRASHMATRIX_STDOUT names what was printed
 *     port-judge interchange POINT FOLDER MS ADAPTER...
 *                                               in the current directory, see port_interchange.h
 *
 * MS: the longest time for one operation, in milliseconds. Exit status 0 when done (accepted), 1
 * when not, 2 on wrong usage.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "port_interchange.h"
#include "port_judge.h"
#include "text.h"

enum { NEED_TIMEOUT_MS = 60000 };

static int complain(const char *what, const char *why)
{
    fprintf(stderr, "port-judge: %s%s%s\n", what, *why != '\0' ? ": " : "", why);
    return 1;
}

static int run_need(int count, char **words)
{
    const struct cm_port_adapter adapter = {
        .argv = words, .argc = (size_t)count - 1, .timeout_ms = NEED_TIMEOUT_MS};
    const char *const last[] = {words[count - 1]};
    struct cm_port_answer answer;
    struct ff_error error;
    if (cm_port_ask_words(&adapter, &answer, &error, last, 1) != 0)
        return complain(error.text, "");
    char *text = cJSON_PrintUnformatted(answer.json);
    int status = cm_port_answered(&answer, "OK") ? 0 : complain("the adapter answers", text);
    cJSON_free(text);
    cm_port_answer_free(&answer);
    return status;
}

static int run_init(int count, char **words)
{
    (void)count;
    struct mf_options options = {.commit_point = strcmp(words[1], "slots") == 0 ? MF_COMMIT_SLOTS
                                                                                : MF_COMMIT_RENAME};
    struct mf_error error;
    return mf_database_init(words[0], &options, &error) == MF_OK
               ? 0
               : complain(words[0], error.message);
}

/* What was printed before the cut; malloc'ed. NULL when it cannot be read. */
static char *read_output(size_t *size)
{
    const char *path = getenv("CRASHMATRIX_STDOUT");
    FILE *file = path != NULL ? fopen(path, "rbe") : NULL;
    char *text = NULL;
    size_t room = 0;
    *size = 0;
    if (file == NULL)
        return NULL;
    do {
        text = cm_reserve(text, *size, &room, 1);
        *size += fread(text + *size, 1, room - *size, file);
    } while (*size == room);
    fclose(file);
    return text;
}

static int run_check(int count, char **words)
{
    struct ff_error error = {""};
    size_t size = 0;
    const struct cm_port_judge judge = {
        .id = cm_port_case_find(words[0]),
        .point = words[1],
        .adapter = {.argv = words + 3,
                    .argc = (size_t)count - 3,
                    .timeout_ms = (unsigned)strtoul(words[2], NULL, 10)},
        .error = &error,
    };
    char *output = read_output(&size);
    if (judge.id == CM_PORT_CASE_COUNT || output == NULL) {
        free(output);
        complain("no such case, or no CRASHMATRIX_STDOUT", words[0]);
        return 2;
    }
    const char *label = cm_port_judge(&judge, output, size);
    char shown[sizeof(error.text)];
    cm_text_printable(shown, sizeof(shown), error.text, strlen(error.text));
    printf("%s%s\n", label != NULL ? "label: " : "", label != NULL ? label : shown);
    free(output);
    return label != NULL ? 0 : 1;
}

static int run_interchange(int count, char **words)
{
    const struct cm_port_interchange plan = {
        .point = words[0],
        .contents = words[1],
        .adapter = {.argv = words + 3,
                    .argc = (size_t)count - 3,
                    .timeout_ms = (unsigned)strtoul(words[2], NULL, 10)},
    };
    return cm_port_interchange(&plan);
}

static const struct {
    const char *name;
    int (*run)(int count, char **words);
    int least; /* words after the name */
} commands[] = {
    {"need", run_need, 2},
    {"init", run_init, 2},
    {"check", run_check, 4},
    {"interchange", run_interchange, 4},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc >= 2 && i < sizeof(commands) / sizeof(commands[0]); i++)
        if (strcmp(argv[1], commands[i].name) == 0 && argc >= 2 + commands[i].least)
            return commands[i].run(argc - 2, argv + 2);
    fputs("usage: port-judge need ADAPTER... OPERATION...\n"
          "       port-judge init DIR POINT\n"
          "       port-judge check CASE POINT MS ADAPTER...\n"
          "       port-judge interchange POINT FOLDER MS ADAPTER...\n",
          stderr);
    return 2;
}
