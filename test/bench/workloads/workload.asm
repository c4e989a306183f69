; The workloads of the benchmark as multiboot kernels of 32 bits: the same bytes run on this machine, on v86 and on QEMU.
; WORKLOAD chooses one. Each goes round its outer loop `rounds` times, then writes 0 to the debug exit; 0 rounds is for ever.
; Paging is on, with 4-MByte pages that map 4 GiB to itself.
bits 32
org 0x100000

%define INTEGER   1
%define SORT      2
%define COPY      3
%define SYSCALL   4
%define INTERRUPT 5

header: dd 0x1badb002, 0x00010000, -(0x1badb002 + 0x00010000)
        dd header, 0x100000, end, end, start

start:  mov esp, stack
        lgdt [gdtr]
        jmp 8:.cs
.cs:    mov ax, 16
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov fs, ax
        mov gs, ax
        mov edi, directory
        mov eax, 0x87             ; present, writable, user, 4 MByte
.map:   stosd
        add eax, 0x400000
        jnc .map
        mov eax, directory
        mov cr3, eax
        mov eax, cr4
        or eax, 0x10
        mov cr4, eax
        mov eax, cr0
        or eax, 0x80000000
        mov cr0, eax
        mov ax, 0x28
        ltr ax

%if WORKLOAD = INTEGER
; Ten instructions: loads, stores, a multiplication, additions.
        mov ebx, data
        mov ecx, 5
        mov edx, 7
again:  mov ebp, 1000
.loop:  mov eax, [ebx]
        imul eax, ecx
        add eax, edx
        mov [ebx + 8], eax
        add edx, [ebx + 16]
        add ecx, 3
        mov [ebx + 16], edx
        add [ebx + 24], ecx
        dec ebp
        jnz .loop
%elif WORKLOAD = SORT
; An insertion sort of 64 numbers from a linear congruential generator.
        mov eax, 1
again:  mov edi, data
        mov ecx, 64
.fill:  imul eax, eax, 1103515245
        add eax, 12345
        mov [edi + ecx * 4 - 4], eax
        dec ecx
        jnz .fill
        mov esi, 1
.next:  mov edx, [edi + esi * 4]
        mov ebx, esi
.shift: mov ebp, [edi + ebx * 4 - 4]
        cmp ebp, edx
        jle .place
        mov [edi + ebx * 4], ebp
        dec ebx
        jnz .shift
.place: mov [edi + ebx * 4], edx
        inc esi
        cmp esi, 64
        jne .next
%elif WORKLOAD = COPY
; 16 KiB, a doubleword at a time, unrolled by four as a compiler does.
again:  mov esi, data
        mov edi, data + 0x8000
        mov ecx, 1024
.loop:  mov eax, [esi]
        mov ebx, [esi + 4]
        mov edx, [esi + 8]
        mov ebp, [esi + 12]
        mov [edi], eax
        mov [edi + 4], ebx
        mov [edi + 8], edx
        mov [edi + 12], ebp
        add esi, 16
        add edi, 16
        dec ecx
        jnz .loop
%elif WORKLOAD = SYSCALL
; User code calls the kernel by SYSENTER, which counts and returns by SYSEXIT.
        mov ecx, 0x174
        mov eax, 8
        xor edx, edx
        wrmsr
        inc ecx
        mov eax, stack
        wrmsr
        inc ecx
        mov eax, handler
        wrmsr
        push dword 0x23
        push dword userstack
        push dword 0x3202         ; IOPL 3: the debug exit is reached from here
        push dword 0x1b
        push dword again
        mov ax, 0x23
        mov ds, ax
        mov es, ax
        iretd
handler:
        add [counter], eax
        sysexit
again:  mov ebx, 100
.loop:  mov eax, 1
        mov edx, .back
        mov ecx, esp
        sysenter
.back:  add edi, eax
        dec ebx
        jnz .loop
%elif WORKLOAD = INTERRUPT
; The local APIC interrupts its own processor; between two interrupts there is some arithmetic.
        lidt [idtr]
        mov al, 0xff              ; no interrupts of the 8259s: firmware may have left a timer running
        out 0x21, al
        out 0xa1, al
        mov dword [0xfee000f0], 0x1ff
        sti
        jmp again
handler:
        inc dword [counter]
        mov dword [0xfee000b0], 0
        iretd
again:  mov ebx, 100
.loop:  mov dword [0xfee00300], 0x44080   ; to itself, vector 80H
        mov ecx, 16
.work:  add eax, ecx
        xor edx, eax
        rol edx, 5
        dec ecx
        jnz .work
        dec ebx
        jnz .loop
%endif
        dec dword [rounds]
        jnz again
        xor eax, eax
        out 0xf4, al             ; ends this machine and QEMU
        mov esi, .shutdown
        mov ecx, 8
        mov dx, 0x8900           ; ends Bochs
        rep outsb
        cli
.halt:  hlt
        jmp .halt
.shutdown: db "Shutdown"

; What is written lies in a page of its own: a store to a page of code costs every machine that keeps decoded code.
        align 4096, db 0
rounds: dd 0                       ; at offset 1000H of the file
        align 8
gdt:    dq 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00cffb000000ffff, 0x00cff3000000ffff
        dw 103, tss - 0x100000, 0x8910, 0  ; the base is put together below 2 MiB
gdtr:   dw $ - gdt - 1
        dd gdt
%if WORKLOAD = INTERRUPT
idtr:   dw 129 * 8 - 1
        dd idt
idt:    times 128 dq 0
        dw handler - 0x100000, 8, 0xee00, 0x10
%endif
        align 4
counter: dd 0
tss:    dd 0, stack, 16
        times 23 dd 0
end:

directory equ 0x200000
stack     equ 0x210000
userstack equ 0x220000
data      equ 0x240000
