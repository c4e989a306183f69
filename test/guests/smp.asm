; Starts the other processors of a guest that includes `long.asm`: INIT, then a startup IPI to page 8. Each comes to
; `processor` in 64-bit mode with a stack of its own and its number, from 1 on, in R15.
%define STACK_BYTES 4096
start_processors:
        mov esi, trampoline
        mov edi, 0x8000
        mov ecx, trampoline_end - trampoline
        rep movsb
        APIC_WRITE 0xf0, 0x1ff
        APIC_WRITE 0x300, 0xc4500
        APIC_WRITE 0x300, 0xc4608
        ret
trampoline:
bits 16
        cli
        xor ax, ax
        mov ds, ax
        o32 lgdt [0x8000 + .gdtr - trampoline]
        mov eax, 0x11
        mov cr0, eax
        jmp dword CODE32:protected
.gdtr:  dw gdtr - gdt - 1
        dd gdt
trampoline_end:
bits 32
protected:
        mov ax, DATA
        mov ds, ax
        mov ss, ax
        mov eax, 1
        lock xadd [arrived], eax
        mov edi, eax            ; its number less one
        inc eax
        imul esp, eax, STACK_BYTES
        add esp, stacks
        call enter_paging
        jmp CODE64:.long
bits 64
.long:  mov r15d, edi
        inc r15d
        call segments
        jmp processor
arrived: dd 0
; Waits until a word in memory has a value.
%macro WAIT_FOR 2
%%look: cmp dword [%1], %2
        pause
        jne %%look
%endmacro
