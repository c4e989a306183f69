; A loop that is hot: NASM source of sum.elf, which `retrovisor run --show-compiled sum` explains. Entered in 64-bit mode,
; with memory mapped to itself. It adds up the numbers from 1 to 1000, a hundred times, reports 0 at the debug exit (port
; 0xF4) if the sum is right, and halts.

        bits    64
        section .text
        global  start

COUNT           equ     1000
ROUNDS          equ     100
DEBUG_EXIT      equ     0xF4

start:
        mov     esi, ROUNDS
again:
        mov     rbx, numbers
        mov     ecx, COUNT
fill:
        mov     [rbx + rcx * 8 - 8], rcx
        loop    fill
        xor     eax, eax
        mov     ecx, COUNT
sum:
        add     rax, [rbx]
        add     rbx, 8
        dec     ecx
        jnz     sum
        dec     esi
        jnz     again

        cmp     rax, COUNT * (COUNT + 1) / 2
        setne   al
        out     DEBUG_EXIT, al
stop:
        hlt
        jmp     stop

        section .bss
numbers:
        resq    COUNT
