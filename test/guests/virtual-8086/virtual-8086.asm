; Multiboot 1. An 8086 program in virtual-8086 mode under a monitor of level 0: what IOPL and the I/O permission bit map hold
; back, interrupts and exceptions out of the mode and IRET back into it, and a task switch to it. Reports on port E9H.
bits 32
org 0x100000
header: dd 0x1badb002, 0x00010000, -(0x1badb002 + 0x00010000)
        dd header, 0x100000, end, end, start

PROGRAM equ 0x2000            ; paragraphs
STACK   equ 0x3000
MAIN    equ 0x18
TASK    equ 0x20
RF      equ 0x10000           ; QEMU leaves it out of the images of faults

%macro say 1
        call text
        db %1, 0
%endmacro
%macro tell 2
        say %1
        push dword %2
        call number
%endmacro

start:  mov esp, stack_main
        mov eax, 0x11
        mov cr0, eax
        mov al, 0xff          ; no interrupts of devices
        out 0x21, al
        out 0xa1, al
        xor ebx, ebx
        xor ecx, ecx
        xor edx, edx
        xor ebp, ebp
        lgdt [gdtr]
        lidt [idtr]
        jmp 8:.cs
.cs:    mov ax, 16
        mov ds, ax
        mov es, ax
        mov ss, ax
        xor eax, eax
        mov fs, ax
        mov gs, ax
        lldt ax
        mov ax, MAIN
        ltr ax
        mov esi, program
        mov edi, PROGRAM * 16
        mov ecx, program_end - program
        cld
        rep movsb
        mov esi, task
        mov edi, PROGRAM * 16 + 0x1000
        mov ecx, task_end - task
        rep movsb

        push dword 0x4444     ; GS, FS, DS, ES
        push dword 0x3333
        push dword 0x2222
        push dword 0x1111
        push dword STACK
        push dword 0x1000
        push dword 0x20202    ; VM, IF, IOPL 0
        push dword PROGRAM
        push dword 0
        iretd

; From here on EAX, the vector and the error code (or 0) lie above the frame.
%macro enter_monitor 2        ; vector, 1 if the processor pushes an error code
%if %2 == 0
        push dword 0
%endif
        push dword %1
        jmp monitor
%endmacro
ud:      enter_monitor 6, 0
gp:      enter_monitor 13, 1
trap3:   enter_monitor 3, 0
call40:  enter_monitor 0x40, 0
call42:  enter_monitor 0x42, 0

monitor:
        pushad
        cld
        mov ax, ds            ; null after virtual-8086 mode
        movzx ebp, ax
        mov ax, 16
        mov ds, ax
        mov es, ax
        mov ebx, [esp + 32]
        cmp ebx, 0x42
        je finish
        tell 'vector ', ebx
        tell '  error code ', dword [esp + 36]
        tell '  DS here ', ebp
        tell '  AX ', dword [esp + 28]
        tell '  IP ', dword [esp + 40]
        tell '  CS ', dword [esp + 44]
        mov eax, [esp + 48]
        and eax, ~RF
        tell '  EFLAGS ', eax
        tell '  SP ', dword [esp + 52]
        cmp byte [once], 0
        jne .known
        inc byte [once]
        tell '  SS ', dword [esp + 56]
        tell '  ES ', dword [esp + 60]
        tell '  DS ', dword [esp + 64]
        tell '  FS ', dword [esp + 68]
        tell '  GS ', dword [esp + 72]
.known: cmp ebx, 0x40
        je .back
        cmp ebx, 3
        je .back
        mov esi, [esp + 44]   ; the instruction
        shl esi, 4
        add esi, [esp + 40]
        movzx eax, word [esi]
        tell '  bytes ', eax
        mov ecx, 1
        cmp al, 0x66
        je .two
        cmp al, 0x63
        je .two
        cmp al, 0xcd
        je .two
        cmp al, 0xe4
        je .two
        cmp al, 0xe6
        je .two
        cmp al, 0x0f
        jne .skip
        cmp ah, 0x0b
        je .two
        inc ecx
.two:   inc ecx
.skip:  add [esp + 40], ecx
        cmp ax, 0x50cd        ; INT 50H asks for IOPL 3
        jne .back
        or dword [esp + 48], 0x3000
.back:  popad
        add esp, 8
        iretd

finish: say `finish\n`
        mov esp, stack_main
        jmp TASK:0
        say `back\n`
        movzx eax, word [tss_main]
        tell 'link ', eax
        mov eax, [tss_task + 32]
        tell 'its IP ', eax
        mov eax, [tss_task + 36]
        and eax, ~RF
        tell 'its EFLAGS ', eax
        movzx eax, word [tss_task + 76]
        tell 'its CS ', eax
        movzx eax, word [tss_task + 84]
        tell 'its DS ', eax
        pushfd
        pop eax
        and eax, 0x27200
        tell 'EFLAGS ', eax
        clts
        mov eax, 2
        push eax
        popfd
        xor eax, eax
        out 0xf4, al
        cli
        hlt

text:   xchg esi, [esp]
        push eax
.next:  lodsb
        test al, al
        jz .end
        out 0xe9, al
        jmp .next
.end:   pop eax
        xchg esi, [esp]
        ret
number: push eax
        push ebx
        push ecx
        mov ebx, [esp + 16]
        mov ecx, 8
.next:  rol ebx, 4
        mov al, bl
        and al, 15
        cmp al, 10
        sbb al, 0x69
        das
        out 0xe9, al
        loop .next
        mov al, 10
        out 0xe9, al
        pop ecx
        pop ebx
        pop eax
        ret 4
once:   db 0

bits 16
%define at(label) (label - program)
program:
        mov al, 'a'
        out 0xe9, al          ; the bit map allows it
        mov al, 10
        out 0xe9, al
        cli                   ; all of these lead to the monitor
        sti
        pushf
        popf
        iret
        hlt
        int 0x40
        o32 pushf
        in al, 0x60           ; the bit map forbids it
        mov eax, cr0
        sldt ax               ; #UD
        arpl ax, ax
        ud2
        int3                  ; IOPL does not count
        call PROGRAM:at(distant)
        mov ax, cs
        mov ds, ax
        mov ax, [at(value)]    ; DS is a paragraph
        int3

        int 0x50              ; IOPL 3 from here on
        mov ax, 0x5555
        int 0x40              ; through the gate
        cli
        pushf
        pop ax
        int 0x40
        sti
        pushf
        pop ax
        int 0x40
        mov ax, 0x4ed7        ; NT, and IOPL 0: which stays 3
        push ax
        popf
        pushf
        pop ax
        int 0x40
        push dword 0x00020246
        popfd
        pushfd
        pop eax
        int 0x40
        pushf
        push cs
        push word at(after)
        iret
        int3
after:  mov ax, 0x6666
        int 0x40
        out 0x60, al          ; forbidden at any IOPL
        int 0x41              ; its gate has DPL 0
        int 0x42              ; the end
distant:
        mov al, 'f'
        out 0xe9, al
        mov al, 10
        out 0xe9, al
        retf
value:  dw 0x7777
program_end:

task:   mov al, 't'
        out 0xe9, al
        mov al, 10
        out 0xe9, al
        int 0x44              ; a task gate
task_end:
bits 32

gdtr:   dw gdt.end - gdt - 1
        dd gdt
idtr:   dw idt.end - idt - 1
        dd idt
%macro tss_descriptor 3       ; base, limit, access byte
        dw %2
        dw %1 - header
        db 0x10, %3, 0, 0
%endmacro
%macro gate 2                 ; handler, access byte
        dw %1 - header, 8, %2 << 8, 0x10
%endmacro
align 8
gdt:    dq 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
        tss_descriptor tss_main, tss_main.end - tss_main, 0x89
        tss_descriptor tss_task, tss_main.end - tss_main, 0x89
.end:
idt:    times 3 dq 0
        gate trap3, 0xee
        times 2 dq 0
        gate ud, 0x8e
        times 6 dq 0
        gate gp, 0x8e
        times 0x40 - 14 dq 0
        gate call40, 0xee
        gate call40, 0x8e
        gate call42, 0xee
        dq 0
        dw 0, MAIN, 0xe500, 0
.end:

%macro bit_map 0              ; E9H alone
        times 0x1d db 0xff
        db 0xfd
        times 0x21 db 0xff
%endmacro
align 4
tss_main:
        dd 0, stack_main, 16
        times 22 dd 0
        dd 0x680000
        bit_map
.end:
tss_task:
        dd 0, stack_main, 16, 0, 0, 0, 0, 0
        dd 0x1000, 0x23002, 0, 0, 0, 0, 0x2000, 0, 0, 0
        dd 0, PROGRAM, STACK, 0x8888, 0, 0, 0, 0x680000
        bit_map
align 16
        times 512 db 0
stack_main:
end:
