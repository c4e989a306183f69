; A multiboot 1 kernel in 64-bit mode: 4 GiB mapped one to one, an IDT whose gates print what arrives, and words to print
; with. A guest includes this file first and `long-end.asm` last, and starts at `main`.
%ifndef CONSOLE
%define CONSOLE 0xe9
%endif
%define CODE64 0x08
%define DATA 0x10
%define CODE32 0x18
%define ABSENT 0x20
%define TSS 0x28
bits 32
org 0x100000
header: dd 0x1badb002, 0x00010000, -(0x1badb002 + 0x00010000)
        dd header, 0x100000, image_end, memory_end, start
start:  mov esp, stack
        cld
        mov al, 0xff            ; a loader may have left the 8259 open
        out 0x21, al
        out 0xa1, al
        mov dword [pml4], pdpt + 7
%assign gib 0
%rep 4
        mov dword [pdpt + gib * 8], directories + gib * 4096 + 7
%assign gib gib + 1
%endrep
        mov edi, directories
        mov eax, 0x87
.page:  mov [edi], eax
        add edi, 8
        add eax, 0x200000
        cmp edi, directories + 4 * 4096
        jb .page
        lgdt [gdtr]
        call enter_paging
        jmp CODE64:in_long_mode
; PAE, EFER.LME and NXE, paging with write protection. Every processor comes here.
enter_paging:
        mov eax, 0x20
        mov cr4, eax
        mov eax, pml4
        mov cr3, eax
        mov ecx, 0xc0000080
        xor edx, edx
        mov eax, 0x900
        wrmsr
        mov eax, 0x80010013
        mov cr0, eax
        ret
bits 64
in_long_mode:
        mov esp, stack
        call segments
        ; gates 0 to 255 lead to the stubs, 16 bytes each
        mov edi, idt
        mov eax, stubs
.gate:  mov [rdi], ax
        mov word [rdi + 2], CODE64
        mov word [rdi + 4], 0x8e00
        mov edx, eax
        shr edx, 16
        mov [rdi + 6], dx
        add edi, 16
        add eax, 16
        cmp edi, idt + 4096
        jb .gate
        mov edi, table
        mov eax, report
        mov ecx, 256
        rep stosq
        mov eax, tss
        mov [gdt + TSS + 2], ax
        shr eax, 16
        mov [gdt + TSS + 4], al
        mov [gdt + TSS + 7], ah
        mov ax, TSS
        ltr ax
        xor eax, eax
        lldt ax
        jmp main
segments:
        mov ax, DATA
        mov ds, ax
        mov es, ax
        mov ss, ax
        xor eax, eax
        mov fs, ax
        mov gs, ax
        lidt [idtr]
        ret

; Ends the run with a value, and with registers that do not depend on how long it took.
finish: mov al, 0
        out 0xf4, al
halt:   cli
        xor eax, eax
        xor ebx, ebx
        xor ecx, ecx
        xor edx, edx
        xor esi, esi
        xor edi, edi
        xor ebp, ebp
        xor r8d, r8d
        xor r9d, r9d
        xor r10d, r10d
        xor r11d, r11d
        xor r12d, r12d
        xor r13d, r13d
        xor r14d, r14d
        xor r15d, r15d
        mov cr2, rax
        mov esp, stack
        test eax, eax
.end:   hlt
        jmp halt

; Printing. All registers are kept.
putc:   push rdx
        mov edx, CONSOLE
        out dx, al
        pop rdx
        ret
; The text that follows the call.
print:  push rax
        push rsi
        mov rsi, [rsp + 16]
.byte:  lodsb
        test al, al
        jz .end
        call putc
        jmp .byte
.end:   mov [rsp + 16], rsi
        pop rsi
        pop rax
        ret
%macro PRINT 1+
        call print
        db %1, 0
%endmacro
; A blank and the low CL digits of RAX.
hexadecimal:
        push rax
        push rcx
        push rdx
        mov rdx, rax
        mov al, ' '
        call putc
        shl cl, 2
        ror rdx, cl
        shr cl, 2
.digit: rol rdx, 4
        mov al, dl
        and al, 15
        add al, '0'
        cmp al, '9'
        jbe .put
        add al, 'a' - '9' - 1
.put:   call putc
        dec cl
        jnz .digit
        pop rdx
        pop rcx
        pop rax
        ret
%macro HEX 2
        push rax
        push rcx
        mov rax, %1
        mov cl, %2
        call hexadecimal
        pop rcx
        pop rax
%endmacro
newline:
        push rax
        mov al, 10
        call putc
        pop rax
        ret

; Every vector comes here with its frame at RBP and below it all registers.
%define FRAME_VECTOR rbp + 120
%define FRAME_ERROR rbp + 128
%define FRAME_RIP rbp + 136
%define FRAME_CS rbp + 144
%define FRAME_FLAGS rbp + 152
%define FRAME_RSP rbp + 160
arrive: push rax
        push rcx
        push rdx
        push rbx
        push rbp
        push rsi
        push rdi
        push r8
        push r9
        push r10
        push r11
        push r12
        push r13
        push r14
        push r15
        mov rbp, rsp
        mov rax, [FRAME_VECTOR]
        call [table + rax * 8]
        pop r15
        pop r14
        pop r13
        pop r12
        pop r11
        pop r10
        pop r9
        pop r8
        pop rdi
        pop rsi
        pop rbp
        pop rbx
        pop rdx
        pop rcx
        pop rax
        add rsp, 16
        iretq
; The handler of a vector that nobody set: vector, error code, RIP from `base` on, TF and IF; then on at `resume`.
report: PRINT ' vector'
        HEX [FRAME_VECTOR], 2
        PRINT ' error'
        HEX [FRAME_ERROR], 4
        mov rax, [FRAME_RIP]
        sub rax, [base]
        PRINT ' at'
        HEX rax, 2
        mov rax, [FRAME_FLAGS]
        and eax, 0x300
        PRINT ' flags'
        HEX rax, 3
        cmp byte [FRAME_VECTOR], 1
        jne .fault
        PRINT ' DR6'
        mov rax, dr6
        HEX rax, 8
        mov eax, 0xffff0ff0
        mov dr6, rax
.fault: cmp byte [FRAME_VECTOR], 14
        jne .go
        PRINT ' CR2'
        mov rax, cr2
        HEX rax, 8
.go:    mov rax, [resume]
        mov [FRAME_RIP], rax
        mov dword [FRAME_CS], CODE64
        and dword [FRAME_FLAGS], ~0x100
        ret
; A line: what is tried, then what arrives, or a dash.
%macro TRY 2+
        call print
        db %1, ':', 0
        mov qword [resume], %%done
        mov qword [base], %%at
%%at:   %2
        PRINT ' -'
%%done: call newline
%endmacro
; The same for several instructions, between TRYING and TRIED.
%macro TRYING 1
%push trying
        call print
        db %1, ':', 0
        mov qword [resume], %$done
        mov qword [base], %$at
%$at:
%endmacro
%macro TRIED 0
        PRINT ' -'
%$done: call newline
%pop
%endmacro

; The local APIC by its page: a register and a value. R8 is lost.
%macro APIC_WRITE 2
        mov r8d, 0xfee00000 + %1
        mov dword [r8], %2
%endmacro
