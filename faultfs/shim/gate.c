#include "gate.h"

#include <asm/unistd.h>
#include <stdbool.h>
#include <sys/mman.h>

#if defined(__x86_64__)
static bool is_open;

/* syscall; ret. Its caller has put everything into the registers of a system call. */
static const unsigned char gate_code[] = {0x0f, 0x05, 0xc3};
#endif

long gate_open(void)
{
#if defined(__x86_64__)
    long page = GATE_6(__NR_mmap, GATE_PAGE, GATE_PAGE_SIZE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (page < 0 && page > -4096)
        return page;
    for (unsigned i = 0; i < sizeof(gate_code); i++)
        ((unsigned char *)page)[i] = gate_code[i];
    long result = GATE_3(__NR_mprotect, page, GATE_PAGE_SIZE, PROT_READ | PROT_EXEC);
    is_open = result == 0;
    return result;
#else
    return 0; /* there is no net on this machine */
#endif
}

long gate_plain(const struct raw_call *raw)
{
    const long *a = raw->arguments;
    long number = raw->number;
#if defined(__x86_64__)
    long result;
    register long r10 __asm__("r10") = a[3];
    register long r8 __asm__("r8") = a[4];
    register long r9 __asm__("r9") = a[5];
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
#elif defined(__aarch64__)
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a[0];
    register long x1 __asm__("x1") = a[1];
    register long x2 __asm__("x2") = a[2];
    register long x3 __asm__("x3") = a[3];
    register long x4 __asm__("x4") = a[4];
    register long x5 __asm__("x5") = a[5];
    __asm__ volatile("svc 0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory");
    return x0;
#elif defined(__riscv) && __riscv_xlen == 64
    register long a7 __asm__("a7") = number;
    register long a0 __asm__("a0") = a[0];
    register long a1 __asm__("a1") = a[1];
    register long a2 __asm__("a2") = a[2];
    register long a3 __asm__("a3") = a[3];
    register long a4 __asm__("a4") = a[4];
    register long a5 __asm__("a5") = a[5];
    __asm__ volatile("ecall"
                     : "+r"(a0)
                     : "r"(a7), "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5)
                     : "memory");
    return a0;
#else
#error "gate() is not written for this machine"
#endif
}

long gate(long number, long a, long b, long c, long d, long e, long f)
{
#if defined(__x86_64__)
    if (is_open) {
        long result;
        register long r10 __asm__("r10") = d;
        register long r8 __asm__("r8") = e;
        register long r9 __asm__("r9") = f;
        /* A call moves the stack pointer over the red zone: step over it first. */
        __asm__ volatile("lea -128(%%rsp), %%rsp\n\t"
                         "call *%[page]\n\t"
                         "lea 128(%%rsp), %%rsp"
                         : "=a"(result)
                         : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8),
                           "r"(r9), [page] "b"(GATE_PAGE)
                         : "rcx", "r11", "memory");
        return result;
    }
#endif
    struct raw_call raw = {number, {a, b, c, d, e, f}};
    return gate_plain(&raw);
}
