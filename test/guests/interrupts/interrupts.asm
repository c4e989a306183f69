; Exceptions that a program in 64-bit mode can provoke, one a line: vector, error code, where, TF and IF, and DR6 or CR2.
; QEMU 7.2 has no INT1, clears RF where a fault is delivered, and takes #GP for #SS, knows every MSR, sets
; reserved bits, and has other error codes for gates and reserved bits of pages: none of that is asked here.
; Then what happens between them: nesting, stacks of the IST, priorities, the shadows of STI and MOV SS, NMI that blocks NMI.
%include 'long.asm'
main:
        TRY 'divide by zero', db 0x48, 0x31, 0xc9, 0x48, 0xf7, 0xf1
        TRY 'quotient too large', db 0xb8, 0, 1, 0, 0, 0xb1, 1, 0xf6, 0xf1
        TRYING 'trap flag'
        pushfq
        or dword [rsp], 0x100
        popfq
        nop
        nop
        TRIED
        TRY 'INT3', int3
        TRY 'INT 3', db 0xcd, 3
        TRY 'INT 80H', int 0x80
        TRY 'UD2', ud2
        TRY 'LOCK NOP', db 0xf0, 0x90
        TRY 'PUSH ES in 64-bit mode', db 0x06
        TRY 'INTO in 64-bit mode', db 0xce
        ; segments
        mov ax, ABSENT
        TRY 'DS absent', mov ds, ax
        TRY 'SS absent', mov ss, ax
        mov ax, 0x78
        TRY 'DS beyond the GDT', mov ds, ax
        mov ax, 0x7c
        TRY 'DS beyond the LDT', mov ds, ax
        xor eax, eax
        TRY 'DS null', mov ds, ax
        mov ax, CODE64
        TRY 'SS code', mov ss, ax
        mov ax, DATA
        mov ds, ax
        TRY 'LTR busy', db 0xb8, TSS, 0, 0, 0, 0x0f, 0x00, 0xd8
        ; addresses
        mov rbx, 0x8000000000000000
        TRY 'load not canonical', mov al, [rbx]
        ; pages: the last of the first GiB is changed
        mov edi, directories + 511 * 8
        mov ebx, 0x3fe00000
        mov byte [rbx], 0xc3
        mov dword [rdi], 0
        call flush
        TRY 'load absent', mov al, [rbx]
        TRY 'store absent', mov [rbx], al
        TRY 'call absent', call rbx
        add rsp, 8
        mov dword [rdi], 0x3fe00085
        call flush
        TRY 'load read-only', mov al, [rbx]
        TRY 'store read-only', mov [rbx], al
        TRY 'LOCK ADD read-only', lock add [rbx], al
        mov dword [rdi], 0x3fe00087
        mov dword [rdi + 4], 0x80000000
        call flush
        TRY 'call no-execute', call rbx
        add rsp, 8
        mov dword [rdi + 4], 0
        mov dword [rdi], 0x3fe00087
        call flush
        ; breakpoints
        mov dr0, rbx
        mov eax, 0x000d0001
        mov dr7, rax
        TRY 'breakpoint on a store', db 0x88, 0x03, 0x90
        TRY 'no breakpoint on a load', mov al, [rbx]
        mov eax, 0x000f0001
        mov dr7, rax
        TRY 'breakpoint on a load', db 0x8a, 0x43, 0x03, 0x90
        mov eax, here
        mov dr0, rax
        mov eax, 1
        mov dr7, rax
        TRYING 'breakpoint on an instruction'
here:   nop
        TRIED
        xor eax, eax
        mov dr7, rax

        ; 32-bit code
        TRYING 'INTO in compatibility mode'
        push CODE32
        push compatibility
        retfq
        TRIED
        TRYING 'BOUND in compatibility mode'
        push CODE32
        push bounds
        retfq
        TRIED

        ; the second exception while the first is delivered
        mov byte [idt + 8 * 16 + 4], 1 ; #DF on a stack of its own
        mov byte [idt + 13 * 16 + 5], 0x0e
        mov rbx, 0x8000000000000000
        TRY 'double fault', mov al, [rbx]
        mov byte [idt + 13 * 16 + 5], 0x8e
        mov byte [idt + 8 * 16 + 4], 0

        ; nesting: each handler provokes the next
        mov qword [table + 6 * 8], nest
        PRINT 'nesting:'
        mov r15d, 3
        ud2
        PRINT ' end'
        call newline
        mov qword [table + 6 * 8], report

        ; the interrupt stack table
        mov qword [table + 6 * 8], depth
        PRINT 'stack:'
        ud2
        mov byte [idt + 6 * 16 + 4], 1
        ud2
        sub rsp, 8 ; delivery aligns
        mov byte [idt + 6 * 16 + 4], 0
        ud2
        add rsp, 8
        call newline
        mov qword [table + 6 * 8], report

        ; interrupts: the order of vectors, the task priority, and the shadows
        APIC_WRITE 0xf0, 0x1ff
        mov eax, 0x40
.fill:  mov qword [table + rax * 8], name
        inc eax
        cmp eax, 0x100
        jb .fill
        PRINT 'order:'
        APIC_WRITE 0x300, 0x40041
        APIC_WRITE 0x300, 0x40091
        APIC_WRITE 0x300, 0x40075
        APIC_WRITE 0x300, 0x40072
        sti
        nop
        cli
        call newline
        PRINT 'task priority 7:'
        mov eax, 7
        mov cr8, rax
        APIC_WRITE 0x300, 0x40075
        APIC_WRITE 0x300, 0x40080
        sti
        nop
        nop
        PRINT ' then'
        mov eax, 6
        mov cr8, rax
        nop
        nop
        cli
        xor eax, eax
        mov cr8, rax
        call newline
        PRINT 'within handlers:'
        mov qword [table + 0x50 * 8], open
        APIC_WRITE 0x300, 0x40050
        sti
        nop
        cli
        call newline
        mov qword [table + 0x45 * 8], place
        mov qword [base], .shadow
        PRINT 'after STI:'
        APIC_WRITE 0x300, 0x40045
.shadow: sti
        inc eax
        inc eax
        cli
        call newline
        PRINT 'after STI, STI:'
        mov qword [base], .twice
        APIC_WRITE 0x300, 0x40045
.twice: sti
        sti
        nop
        cli
        call newline
        PRINT 'STI, CLI:'
        APIC_WRITE 0x300, 0x40045
        sti
        cli
        nop
        PRINT ' none,'
        mov qword [base], .last
.last:  sti
        nop
        cli
        call newline
        PRINT 'STI, HLT:'
        mov qword [base], .sleep
        APIC_WRITE 0x300, 0x40045
.sleep: sti
        hlt
        cli
        call newline
        PRINT 'POPF:'
        APIC_WRITE 0x300, 0x40045
        pushfq
        or dword [rsp], 0x200
        mov qword [base], .popped
.popped: popfq
        nop
        cli
        call newline
        TRYING 'trap flag over MOV SS'
        mov eax, DATA
        pushfq
        or dword [rsp], 0x100
        popfq
        mov ss, eax
        nop
        nop
        TRIED

        ; NMI: the second one waits for IRET
        mov qword [table + 2 * 8], nmi
        PRINT 'NMI:'
        mov r15d, 3
        APIC_WRITE 0x310, 0
        APIC_WRITE 0x300, 0x400
        jmp .after
.after: PRINT ' end'
        call newline
        APIC_WRITE 0xf0, 0xff
        mov eax, 0x400
        mov dr7, rax
        jmp finish

flush:  mov rax, cr3
        mov cr3, rax
        ret
nest:   PRINT ' in'
        HEX r15, 1
        dec r15d
        jz .out
        ud2
.out:   add qword [FRAME_RIP], 2
        PRINT ' out'
        HEX [rbp], 1
        ret
; RSP at delivery from either stack, and the one that was pushed
depth:  lea rax, [rbp + 176]
        mov rbx, rax
        sub rax, stack
        neg rax
        HEX rax, 4
        sub rbx, stack_ist
        neg rbx
        HEX rbx, 4
        mov rax, stack
        sub rax, [FRAME_RSP]
        HEX rax, 2
        PRINT ','
        add qword [FRAME_RIP], 2
        ret
name:   HEX [FRAME_VECTOR], 2
        APIC_WRITE 0xb0, 0
        ret
place:  HEX [FRAME_VECTOR], 2
        PRINT ' at'
        mov rax, [FRAME_RIP]
        sub rax, [base]
        HEX rax, 2
        APIC_WRITE 0xb0, 0
        ret
; In service with interrupts open: only a higher class comes through.
open:   PRINT ' 50 opens'
        APIC_WRITE 0x300, 0x4005f
        APIC_WRITE 0x300, 0x40061
        APIC_WRITE 0x300, 0x40041
        sti
        nop
        nop
        cli
        PRINT ' 50 ends'
        APIC_WRITE 0xb0, 0
        ret
nmi:    PRINT ' in'
        dec r15d
        mov [rbp], r15
        jz .out
        APIC_WRITE 0x300, 0x400
        APIC_WRITE 0x300, 0x400
        jmp .wait
.wait:  PRINT ' sent'
.out:   PRINT ' out'
        ret
bits 32
compatibility:
        mov eax, 0x7fffffff
        inc eax
        into
        hlt
bits 64
bits 32
bounds: mov eax, 5
        bound eax, [limits]
        hlt
bits 64
limits: dd 1, 4
%include 'long-end.asm'
