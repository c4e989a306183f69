; Multiboot 1. A gate and an IRET across rings: level 0 returns to level 3, which calls through a call gate with two
; parameters, raises #GP (error code), INT 40H through a trap gate, INT 41H that its DPL refuses, and reports on port E9H.
bits 32
org 0x100000
header: dd 0x1badb002, 0x00010000, -(0x1badb002 + 0x00010000)
        dd header, 0x100000, end, end, start
start:  mov esp, stack0
        mov eax, 0x11         ; PE and ET, whatever the loader left
        mov cr0, eax
        xor ecx, ecx
        xor ebx, ebx
        xor edi, edi
        lgdt [gdtr]
        lidt [idtr]
        jmp 8:.cs
.cs:    mov ax, 16
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov ax, 0x30
        ltr ax
        push dword 0x23
        push dword stack3
        push dword 0x3002
        push dword 0x1b
        push dword user
        iretd
user:   mov ax, 0x23          ; DS was nulled on the way
        mov edx, ds
        call report
        mov ds, ax
        push dword 0x11223344
        push dword 0x55667788
        call 0x3b:0           ; the gate releases both
        mov edx, esp
        sub edx, stack3
        call report
        int 0x40
        mov edx, esp
        sub edx, stack3
        call report
        int 0x41              ; DPL 0: #GP(0x20A), skipped by the handler
        mov ax, 0x10
        mov es, ax            ; #GP(0x10), skipped
        lar edx, ax
        call report           ; ZF = 0: EDX stays
        mov ax, 0x1b
        lar edx, ax
        and edx, 0xf0ff00
        call report
        int 0x42              ; ends the run
        jmp $
callee: mov edx, [esp + 8]    ; parameters above CS:EIP
        call report
        mov edx, [esp + 12]
        call report
        mov edx, [esp + 20]   ; SS of the caller
        call report
        mov edx, cs
        call report
        retf 8
trap:   mov edx, [esp + 16]
        call report
        mov edx, esp
        sub edx, stack0
        call report
        iretd
gp:     mov edx, [esp]        ; the error code
        call report
        mov edx, [esp + 16]   ; ESP of level 3
        sub edx, stack3
        call report
        add esp, 4
        add dword [esp], 2
        iretd
finish: mov al, 0
        out 0xf4, al
        cli
        hlt
; EDX in hexadecimal and a line feed. Only registers and the caller's stack.
report: push eax
        push ecx
        push edx
        mov ecx, 8
.digit: rol edx, 4
        mov al, dl
        and al, 15
        cmp al, 10
        sbb al, 0x69
        das                   ; the classic conversion of a digit
        out 0xe9, al
        loop .digit
        mov al, 10
        out 0xe9, al
        pop edx
        pop ecx
        pop eax
        ret
align 8
gdt:    dq 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00cffb000000ffff, 0x00cff3000000ffff, 0
tssd:   dw 0x67, (tss - header) & 0xffff
        db ((tss - header + 0x100000) >> 16) & 0xff, 0x89, 0, 0
gate:   dw (callee - header) & 0xffff, 8
        db 2, 0xec
        dw (callee - header + 0x100000) >> 16
gdtr:   dw gdtr - gdt - 1
        dd gdt
%macro idtgate 2
        dw (%1 - header) & 0xffff, 8
        db 0, %2
        dw (%1 - header + 0x100000) >> 16
%endmacro
idt:    times 13 dq 0
        idtgate gp, 0x8e
        times 0x40 - 14 dq 0
        idtgate trap, 0xef
        idtgate trap, 0x8e
        idtgate finish, 0xee
idtr:   dw idtr - idt - 1
        dd idt
align 16
tss:    dd 0, stack0, 16
        times 0x68 - 12 db 0
        times 512 db 0
stack0:
        times 512 db 0
stack3:
end:
