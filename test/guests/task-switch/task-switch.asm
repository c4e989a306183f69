; Multiboot 1. Hardware task switches: a JMP, a CALL and IRET, a task gate in the GDT, interrupts and exceptions through task
; gates in the IDT, a 16-bit TSS, and a task that is wrong. Each task says on port E9H what it finds.
bits 32
org 0x100000
header: dd 0x1badb002, 0x00010000, -(0x1badb002 + 0x00010000)
        dd header, 0x100000, end, end, start

MAIN    equ 0x18              ; selectors of the tasks
JUMPED  equ 0x20
CALLED  equ 0x28
GATE    equ 0x30              ; a task gate that leads to CALLED
HANDLER equ 0x38
SMALL   equ 0x40              ; its TSS is the 16-bit one
BROKEN  equ 0x48              ; SS is null
RESCUE  equ 0x50
CODE3   equ 0x58
DATA3   equ 0x60
STACK16 equ 0x68              ; both begin where the image does, so that 16 bits reach
CODE16  equ 0x70

STATUS  equ 0x8d5             ; flags that the printing leaves as it likes
RF      equ 0x10000           ; of the image in a TSS QEMU has it as it likes

%macro say 1                  ; text on the console, registers kept
        call text
        db %1, 0
%endmacro
%macro tell 2                 ; text, a value in hexadecimal, a line feed
        say %1
        push dword %2
        call number
%endmacro
%macro type_of 2              ; text, the access byte of a descriptor
        movzx eax, byte [gdt + %2 + 5]
        tell %1, eax
%endmacro

start:  mov esp, stack_main
        mov eax, 0x11
        mov cr0, eax
        xor ebx, ebx
        xor ecx, ecx
        xor edx, edx
        xor edi, edi
        xor esi, esi
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

        mov eax, 0x2ff
        mov dr7, eax          ; breakpoints at 0, local and global ones
        mov ebx, 0x11111111
        jmp JUMPED:0xdeadbeef ; the offset does not count
        tell 'back, EBX ', ebx
        mov eax, cr0
        and eax, 8
        tell 'CR0.TS ', eax
        clts
        movzx eax, word [tss_jumped]
        tell 'no link ', eax
        mov eax, [tss_jumped + 32]
        sub eax, jumped
        tell 'its EIP ', eax
        type_of 'main ', MAIN
        type_of 'jumped ', JUMPED

        call CALLED:0
        pushfd
        pop eax
        and eax, 0x4000
        tell 'NT here ', eax
        mov eax, [tss_called + 36]
        and eax, ~STATUS
        tell 'its EFLAGS ', eax
        mov eax, [tss_called + 40]
        tell 'its EAX ', eax
        type_of 'called ', CALLED
        call GATE:0           ; goes on after its IRET
        type_of 'called ', CALLED

        int 0x40              ; the handler is a task
        say `after INT\n`
        mov ax, 0xfff8
        mov fs, ax            ; #GP(FFF8), two bytes that the handler skips
        mov eax, fs
        tell 'after #GP, FS ', eax
        call SMALL:0
        tell 'BX of the small task ', dword [found]
        tell 'DI ', dword [found + 4]
        tell 'SP ', dword [found + 8]
        tell 'FS ', dword [found + 12]
        tell 'ES ', dword [found + 16]
        movzx eax, word [tss_small]
        tell 'link ', eax
        movzx eax, word [tss_small + 14]
        sub eax, small.end - header
        tell 'its IP ', eax
        movzx eax, word [tss_small + 18]
        tell 'its AX ', eax
        type_of 'small ', SMALL

        push dword DATA3 | 3  ; the same from level 3
        push dword stack_user
        push dword 0x3002
        push dword CODE3 | 3
        push dword user
        iretd
user:   mov ax, DATA3 | 3
        mov ds, ax
        mov es, ax
        int 0x40
        mov eax, cs
        tell 'user, CS ', eax
        call CALLED:0         ; #GP: DPL 0
        say `after #GP\n`
        int 0x41              ; back to level 0

ring0:  mov ax, 16
        mov ds, ax
        mov es, ax
        mov esp, stack_main
        jmp BROKEN:0          ; #TS in the new task, which the rescue task hears of
        say `rescued\n`
        type_of 'main ', MAIN
        type_of 'broken ', BROKEN
        type_of 'rescue ', RESCUE
        xor eax, eax
        out 0xf4, al
        cli
        hlt

jumped: pushfd
        tell 'jumped, EBX ', ebx
        str eax
        tell 'TR ', eax
        pop eax
        tell 'EFLAGS ', eax
        mov eax, dr7
        tell 'DR7 ', eax
        mov eax, [tss_main + 52]
        tell 'EBX of main ', eax
        type_of 'main ', MAIN
        type_of 'jumped ', JUMPED
        xor eax, eax
        mov dr7, eax
        jmp MAIN:0
        jmp jumped

called: say `called\n`
        movzx eax, word [tss_called]
        tell 'link ', eax
        pushfd
        pop eax
        and eax, ~STATUS
        tell 'EFLAGS ', eax
        type_of 'main ', MAIN
        mov eax, 0x12345678
        iretd
        say `called again\n`
        iretd
        jmp called

handler:
        tell 'handler, ESP ', esp
        movzx ebx, word [tss_handler]
        tell 'link ', ebx
        mov eax, [tss_main + 36]
        and eax, ~(STATUS | RF)
        tell 'EFLAGS of main ', eax
        movzx eax, word [tss_main + 76]
        tell 'CS of main ', eax
        cmp esp, stack_handler
        je .done
        pop eax
        tell 'error code ', eax
        mov eax, [tss_main + 32]
        movzx ebx, byte [eax] ; 8EH: MOV has two bytes; 9AH: CALL has seven
        cmp bl, 0x8e
        jne .call
        sub dword [tss_main + 32], 5
.call:  add dword [tss_main + 32], 7
.done:  mov dword [tss_main + 36], 0x3002
        iretd
        jmp handler

small:  mov [found], bx       ; only the low halves of its registers are known
        mov [found + 4], di
        mov [found + 8], sp
        mov ax, fs
        mov [found + 12], ax
        mov ax, es
        mov [found + 16], ax
        mov ax, 0x4321
        iretd
.end:

broken: say `never here\n`
        hlt

rescue: pop eax
        tell 'rescue, error code ', eax
        movzx eax, word [tss_rescue]
        tell 'link ', eax
        movzx eax, word [tss_broken + 80]
        tell 'SS of broken ', eax
        jmp MAIN:0

text:   xchg esi, [esp]       ; the text follows the call
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

gdtr:   dw gdt.end - gdt - 1
        dd gdt
idtr:   dw idt.end - idt - 1
        dd idt

%macro tss_descriptor 3       ; base, limit, access byte
        dw %2
        dw %1 - header
        db 0x10, %3, 0, 0
%endmacro
align 8
gdt:    dq 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
        tss_descriptor tss_main, 0x67, 0x89
        tss_descriptor tss_jumped, 0x67, 0x89
        tss_descriptor tss_called, 0x67, 0x89
        dw 0, CALLED, 0x8500, 0
        tss_descriptor tss_handler, 0x67, 0x89
        tss_descriptor tss_small, 0x2b, 0x81
        tss_descriptor tss_broken, 0x67, 0x89
        tss_descriptor tss_rescue, 0x67, 0x89
        dq 0x00cffb000000ffff, 0x00cff3000000ffff
        dw 0xffff, 0
        db 0x10, 0x93, 0, 0
        dw 0xffff, 0
        db 0x10, 0x9b, 0x40, 0
.end:
%macro task_gate 2            ; selector, access byte
        dw 0, %1, %2 << 8, 0
%endmacro
idt:    times 10 dq 0
        task_gate RESCUE, 0x85
        times 2 dq 0
        task_gate HANDLER, 0x85
        times 0x40 - 14 dq 0
        task_gate HANDLER, 0xe5
        dw ring0 - header, 8, 0xee00, 0x10
.end:

%macro task 5                 ; EIP, EFLAGS, EBX, ESP, SS
        dd 0, stack_ring0, 16, 0, 0, 0, 0, 0
        dd %1, %2, 0, 0, 0, %3, %4, 0, 0, 0
        dd 16, 8, %5, 16, 0, 0, 0, 0x680000
%endmacro
align 4
tss_main:
        dd 0, stack_ring0, 16
        times 23 dd 0
tss_jumped:  task jumped, 0x46, 0xbbbb, stack_jumped, 16
tss_called:  task called, 2, 0, stack_called, 16
tss_handler: task handler, 2, 0, stack_handler, 16
tss_broken:  task broken, 2, 0, stack_jumped, 0
tss_rescue:  task rescue, 2, 0, stack_rescue, 16
tss_small:
        dw 0, 0, 0, 0, 0, 0, 0
        dw small - header, 2, 0, 0, 0, 0xb, stack_small - header, 0, 0, 0xd
        dw 16, CODE16, STACK16, 16, 0
found:  times 5 dd 0
align 16
        times 256 db 0
stack_main:    times 256 db 0
stack_ring0:   times 256 db 0
stack_user:    times 256 db 0
stack_jumped:  times 256 db 0
stack_called:  times 256 db 0
stack_handler: times 256 db 0
stack_rescue:  times 256 db 0
stack_small:
end:
