; Timers and the ways of their interrupts: the 8254 through the 8259 and through the I/O APIC, the timer of the local APIC,
; the HPET in place of the 8254. Counts of interrupts and states of registers are printed, never a time. On COM1.
%define CONSOLE 0x3f8
%include 'long.asm'
%define IOAPIC 0xfec00000
%define HPET 0xfed00000
%macro OUTB 2
        mov al, %2
        out %1, al
%endmacro
; The 8254's first counter: control word and count.
%macro PIT 2
        OUTB 0x43, %1
        OUTB 0x40, (%2) & 0xff
        OUTB 0x40, (%2) >> 8
%endmacro
; An entry of the I/O APIC's table: pin and low half.
%macro REDIRECT 2
        mov r8d, IOAPIC
        mov dword [r8], 0x10 + %1 * 2 + 1
        mov dword [r8 + 16], 0
        mov dword [r8], 0x10 + %1 * 2
        mov dword [r8 + 16], %2
%endmacro
; The low half of an entry, or another register of the I/O APIC, to EAX.
%macro IOAPIC_READ 1
        mov r8d, IOAPIC
        mov dword [r8], %1
        mov eax, [r8 + 16]
%endmacro
%macro APIC_READ 1
        mov r8d, 0xfee00000 + %1
        mov eax, [r8]
%endmacro
; Sleeps until a counter has a value.
%macro SLEEP_UNTIL 2
%%next: cli
        cmp dword [%1], %2
        jae %%enough
        sti
        hlt
        jmp %%next
%%enough:
%endmacro

main:
        mov qword [table + 0x20 * 8], by_pic
        mov qword [table + 0x30 * 8], by_apic
        mov qword [table + 0x31 * 8], by_apic
        ; the 8259 from the beginning
        OUTB 0x20, 0x11
        OUTB 0x21, 0x20
        OUTB 0x21, 4
        OUTB 0x21, 1
        OUTB 0xa0, 0x11
        OUTB 0xa1, 0x28
        OUTB 0xa1, 2
        OUTB 0xa1, 1
        OUTB 0x21, 0xff
        OUTB 0xa1, 0xff
        APIC_WRITE 0xf0, 0x1ff
        APIC_WRITE 0x350, 0x700         ; LINT0 is the 8259

        PRINT '8254 in mode 0, masked: IRR'
        PIT 0x30, 100
        call pass_time
        OUTB 0x20, 0x0a
        in al, 0x20
        and eax, 1
        HEX rax, 2
        PRINT ' polled'
        OUTB 0x20, 0x0c                 ; the mask holds for a poll too
        in al, 0x20
        and eax, 0x80
        HEX rax, 2
        OUTB 0x21, 0xfe
        sti
        nop
        nop
        cli
        PRINT ' interrupts'
        HEX [interrupts], 2
        call pass_time
        sti
        nop
        nop
        cli
        PRINT ' later'
        HEX [interrupts], 2
        call newline

        PRINT '8254 in mode 2 through the 8259:'
        mov dword [interrupts], 0
        PIT 0x34, 2000
        SLEEP_UNTIL interrupts, 5
        HEX [interrupts], 2
        PRINT ' in service'
        OUTB 0x20, 0x0b
        in al, 0x20
        HEX rax, 2
        call newline

        PRINT '8254 in mode 0, polled:'
        OUTB 0x21, 0xff
        PIT 0x30, 100
        OUTB 0x20, 0x20
        call pass_time
        OUTB 0x21, 0xfe
        OUTB 0x20, 0x0c
        in al, 0x20
        and eax, 0x87
        HEX rax, 2
        OUTB 0x20, 0x0b
        in al, 0x20
        HEX rax, 2
        OUTB 0x20, 0x20
        OUTB 0x21, 0xff
        call newline

        PRINT '8254, status and count:'
        PIT 0x34, 0x1234
        OUTB 0x43, 0xe2                 ; status of the first counter
        in al, 0x40
        and eax, 0x3f
        HEX rax, 2
        OUTB 0x43, 0
        in al, 0x40
        mov bl, al
        in al, 0x40
        mov bh, al
        cmp bx, 0x1234
        mov al, 0
        setbe al
        HEX rax, 1
        PIT 0x30, 1                     ; quiet from here on
        call newline

        PRINT 'I/O APIC: version'
        IOAPIC_READ 1
        HEX rax, 8
        PRINT ' entry'
        REDIRECT 5, 0x1a9ff
        IOAPIC_READ 0x1a
        HEX rax, 8
        REDIRECT 5, 0x10000
        call newline
        PRINT '8254 through the I/O APIC:'
        mov dword [interrupts], 0
        REDIRECT 2, 0x30
        PIT 0x34, 2000
        SLEEP_UNTIL interrupts, 5
        HEX [interrupts], 2
        PRINT ' masked'
        REDIRECT 2, 0x10030
        mov dword [interrupts], 0
        call pass_time
        sti
        nop
        nop
        cli
        HEX [interrupts], 2
        PIT 0x30, 1
        call pass_time
        call newline

        PRINT 'local timer, one-shot:'
        mov dword [interrupts], 0
        APIC_WRITE 0x3e0, 0xb
        APIC_WRITE 0x320, 0x31
        APIC_WRITE 0x380, 100000
        SLEEP_UNTIL interrupts, 1
        APIC_READ 0x390
        HEX rax, 8
        APIC_READ 0x380
        HEX rax, 8
        call pass_time_without_local_timer
        sti
        nop
        nop
        cli
        HEX [interrupts], 2
        call newline
        PRINT 'periodic:'
        mov dword [interrupts], 0
        APIC_WRITE 0x320, 0x20031
        APIC_WRITE 0x380, 1000000
        SLEEP_UNTIL interrupts, 5
        HEX [interrupts], 2
        APIC_READ 0x390
        cmp eax, 1000000
        setbe al
        movzx eax, al
        HEX rax, 1
        PRINT ' masked'
        APIC_WRITE 0x320, 0x30031
        sti
        nop
        nop
        cli
        mov dword [interrupts], 0
        call pass_time_without_local_timer
        sti
        nop
        nop
        cli
        HEX [interrupts], 2
        PRINT ' stopped'
        APIC_WRITE 0x320, 0x20031
        APIC_WRITE 0x380, 0
        sti
        nop
        nop
        cli
        mov dword [interrupts], 0
        call pass_time_without_local_timer
        sti
        nop
        nop
        cli
        HEX [interrupts], 2
        APIC_READ 0x390
        HEX rax, 8
        APIC_WRITE 0x320, 0x10000
        call newline

        PRINT 'HPET: period'
        mov r9d, HPET
        mov eax, [r9 + 4]
        HEX rax, 8
        mov dword [interrupts], 0
        REDIRECT 2, 0x30
        mov dword [r9 + 0x10], 0
        mov dword [r9 + 0xf0], 0
        mov dword [r9 + 0xf4], 0
        mov dword [r9 + 0x100], 0x14c   ; periodic, enabled, 32 bits, the comparator is set
        mov dword [r9 + 0x108], 100000
        mov dword [r9 + 0x108], 100000
        mov dword [r9 + 0x10], 3
        SLEEP_UNTIL interrupts, 5
        PRINT ' interrupts'
        HEX [interrupts], 2
        mov r9d, HPET
        mov eax, [r9 + 0xf0]
        cmp eax, 500000
        mov eax, 0
        setae al
        HEX rax, 1
        mov dword [r9 + 0x10], 0
        mov eax, [r9 + 0xf0]
        mov ebx, [r9 + 0xf0]
        sub eax, ebx
        HEX rax, 8
        mov dword [r9 + 0x100], 0
        call newline
        REDIRECT 2, 0x10000
        APIC_WRITE 0xf0, 0xff
        jmp finish

by_pic: inc dword [interrupts]
        OUTB 0x20, 0x20
        ret
by_apic: inc dword [interrupts]
        APIC_WRITE 0xb0, 0
        ret
; Sleeps for 10,000,000 ticks of the local timer, with interrupts open.
pass_time:
        mov qword [table + 0x32 * 8], passed
        mov dword [time], 0
        APIC_WRITE 0x3e0, 0xb
        APIC_WRITE 0x320, 0x32
        APIC_WRITE 0x380, 10000000
        SLEEP_UNTIL time, 1
        ret
passed: inc dword [time]
        APIC_WRITE 0xb0, 0
        ret
; As long, by the 8254 and input 2 of the I/O APIC.
pass_time_without_local_timer:
        mov qword [table + 0x32 * 8], passed
        mov dword [time], 0
        REDIRECT 2, 0x32
        PIT 0x30, 11932
        SLEEP_UNTIL time, 1
        REDIRECT 2, 0x10000
        ret
align 4096
interrupts: dd 0
time:   dd 0
%include 'long-end.asm'
