; The TSC-deadline mode of the local APIC's timer: what arms and disarms it, when it fires, and what reads as 0. Answers are
; printed, never a time. QEMU's TCG has no such mode: `expected.json` follows from the SDM, "TSC-Deadline Mode"; each line
; here says from what.
%include 'long.asm'
DEADLINE equ 0x6e0
ADJUST  equ 0x3b
VECTOR  equ 0x30
ONE_SHOT equ VECTOR
MASKED  equ 0x50000 + VECTOR
TSC_DEADLINE equ 0x40000 + VECTOR
%macro MODE 1                   ; the LVT entry of the timer
        APIC_WRITE 0x320, %1
%endmacro
%macro AHEAD 1                  ; a deadline so many cycles from now
        rdtsc
        shl rdx, 32
        add rax, rdx
        mov rdx, %1
        add rax, rdx
        mov [asked], rax
        call set_deadline
%endmacro
%macro AT 1                     ; this deadline
        mov rax, %1
        call set_deadline
%endmacro
%macro TELL_DEADLINE 0          ; 1: armed
        call get_deadline
        test rax, rax
        setne al
        movzx eax, al
        HEX rax, 1
%endmacro
%macro TELL_COUNT 0             ; interrupts since it was last told
        HEX [interrupts], 1
        mov dword [interrupts], 0
%endmacro

main:   mov qword [table + VECTOR * 8], fired
        APIC_WRITE 0xf0, 0x1ff
        mov eax, 1
        cpuid
        PRINT 'CPUID.01H:ECX[24]'
        shr ecx, 24
        and ecx, 1
        HEX rcx, 1
        call newline

        ; In the other modes the MSR reads as 0, and writes to it are ignored.
        PRINT 'one-shot mode, written and read:'
        MODE ONE_SHOT
        AHEAD 1000
        TELL_DEADLINE
        call wait_long
        TELL_COUNT
        call newline

        ; A transition between this mode and another one disarms the timer.
        PRINT 'armed, one-shot mode, TSC-deadline mode:'
        MODE TSC_DEADLINE
        TELL_DEADLINE
        AHEAD 10000
        TELL_DEADLINE
        MODE ONE_SHOT
        MODE TSC_DEADLINE
        TELL_DEADLINE
        call wait_long
        TELL_COUNT
        call newline

        ; In this mode writes to the initial count are ignored, and the current count reads as 0.
        PRINT 'initial count, current count, fires:'
        APIC_WRITE 0x380, 1000
        mov r8d, 0xfee00000
        mov eax, [r8 + 0x380]
        HEX rax, 1
        mov eax, [r8 + 0x390]
        HEX rax, 1
        call wait_long
        TELL_COUNT
        call newline

        ; The interrupt is at the deadline or after it, and clears the MSR.
        PRINT 'reads as written, fires once, in time, disarmed:'
        AHEAD 5000
        call get_deadline
        cmp rax, [asked]
        sete al
        movzx eax, al
        HEX rax, 1
        call wait_one
        mov rax, [when]
        cmp rax, [asked]
        setae al
        movzx eax, al
        HEX rax, 1
        TELL_DEADLINE
        call wait_long
        TELL_COUNT
        call newline

        ; A deadline that is not ahead of the counter: at once.
        PRINT 'past:'
        AT 1
        sti
        nop
        nop
        cli
        TELL_DEADLINE
        TELL_COUNT
        call newline

        ; 0 disarms. A later write replaces an earlier one.
        PRINT 'disarmed:'
        AHEAD 5000
        AT 0
        TELL_DEADLINE
        call wait_long
        TELL_COUNT
        PRINT ' replaced:'
        AHEAD 1 << 40
        AHEAD 5000
        call wait_long
        TELL_DEADLINE
        TELL_COUNT
        PRINT ' put off:'
        AHEAD 5000
        AHEAD 1 << 40
        call wait_long
        TELL_DEADLINE
        TELL_COUNT
        AT 0
        call newline

        ; Masked, the timer expires without an interrupt; a mask that is taken away brings none back.
        PRINT 'masked:'
        MODE MASKED
        AHEAD 5000
        TELL_DEADLINE
        call wait_long
        TELL_DEADLINE
        MODE TSC_DEADLINE
        call wait_long
        TELL_COUNT
        PRINT ' mask taken away before:'
        MODE MASKED
        AHEAD 5000
        MODE TSC_DEADLINE
        call wait_long
        TELL_COUNT
        call newline

        ; The deadline is a value of the counter, wherever that gets it from.
        PRINT 'IA32_TSC_ADJUST:'
        AHEAD 1 << 40
        mov ecx, ADJUST
        xor eax, eax
        mov edx, 0x200
        wrmsr
        sti
        nop
        nop
        cli
        TELL_DEADLINE
        TELL_COUNT
        PRINT ' back:'
        AHEAD 5000
        mov ecx, ADJUST
        xor eax, eax
        xor edx, edx
        wrmsr
        call wait_long
        TELL_DEADLINE
        TELL_COUNT
        AT 0
        PRINT ' all ones:'
        AT -1
        call get_deadline
        HEX rax, 16
        call wait_long
        TELL_COUNT
        AT 0
        call newline

        ; It wakes from HLT: nothing else would.
        PRINT 'sleeps:'
        AHEAD 1 << 32
        call wait_one
        TELL_COUNT
        call newline
        MODE 0x10000
        APIC_WRITE 0xf0, 0xff
        jmp finish

fired:  rdtsc
        shl rdx, 32
        add rax, rdx
        mov [when], rax
        inc dword [interrupts]
        APIC_WRITE 0xb0, 0
        ret
set_deadline:
        mov ecx, DEADLINE
        mov rdx, rax
        shr rdx, 32
        mfence                  ; the LVT entry was written to memory
        wrmsr
        ret
get_deadline:
        mov ecx, DEADLINE
        rdmsr
        shl rdx, 32
        or rax, rdx
        ret
; 20000 instructions with interrupts open.
wait_long:
        sti
        mov ecx, 10000
.next:  dec ecx
        jnz .next
        cli
        ret
wait_one:
        cli
        cmp dword [interrupts], 0
        jne .enough
        sti
        hlt
        jmp wait_one
.enough: ret
align 8
interrupts: dq 0
asked:  dq 0
when:   dq 0
%include 'long-end.asm'
