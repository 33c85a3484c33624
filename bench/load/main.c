/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/mem.h"
#include "data/secret.h"
#include "loop.h"
#include "plan.h"
#include "run.h"

enum { EXIT_GOOD = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, SECRET_BYTES = 32, FILES_BESIDES = 64 };

/* A server of the tool's own gets its settings by the environment; those that are missing are made up. */
static void set_environment(Plan *plan) {
    const char *const names[] = {"JWT_SECRET", "CONTROL_KEY"};
    for (int i = 0; i < 2; i++) {
        Buf text = BUF_NONE;
        secret_random_text(SECRET_BYTES, &text);
        buf_add_char(&text, '\0');
        setenv(names[i], text.data, 0);
        buf_deinit(&text);
    }
    plan->secret = str_of(getenv("JWT_SECRET"));
    plan->key = str_of(getenv("CONTROL_KEY"));
}

/* The tool, and its own server, have a file open for each session. */
static int raise_open_files(const Plan *plan) {
    struct rlimit limit;
    rlim_t wanted = (rlim_t)plan->sessions + (rlim_t)plan->publishers + FILES_BESIDES;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= wanted) return 0;
    fprintf(stderr,
            "chatty-bench: %d sessions need %llu open files, but only %llu are allowed (ulimit -n)\n",
            plan->sessions, (unsigned long long)wanted, (unsigned long long)limit.rlim_cur);
    return EXIT_FAILED;
}

static int run(const Plan *plan) {
    Report *report = mem_alloc(sizeof *report);
    Run *one = run_new(plan);
    run_start(one, report);
    if (plan->json) {
        report_print_json(report, plan);
    } else {
        report_print(report, plan);
    }
    int code = report_is_good(report) ? EXIT_GOOD : EXIT_FAILED;
    run_free(one);
    mem_free(report);
    return code;
}

static void on_signal(int number) {
    (void)number;
    loop_interrupt();
}

int main(int argc, char **argv) {
    (void)argc;
    Plan plan;
    int err = plan_parse(&plan, argv + 1);
    if (err != 0) return err == ERR_CANCELED ? EXIT_GOOD : EXIT_USAGE;
    if (secret_setup() != 0) return EXIT_FAILED;
    signal(SIGINT, on_signal); /* so that a server of its own ends too */
    signal(SIGTERM, on_signal);
    if (plan.command != NULL) set_environment(&plan);
    int code = raise_open_files(&plan);
    return code != 0 ? code : run(&plan);
}
