; Multiboot 1. The devices of a PC in protected mode: what software reads that looks for a serial port, bytes through its
; loopback, lines printed on COM1 by its interrupt, the periodic and the update interrupt of the clock, the keyboard
; controller, PCI functions, and QEMU's device for tests. Each line is a name and what was read, in hexadecimal.
; The modem status of COM1 is read in loopback mode only: what is at the other end differs.
bits 32
org 0x100000
header: dd 0x1badb002, 0x00010000, -(0x1badb002 + 0x00010000)
        dd header, 0x100000, end, end, start

COM1    equ 0x3f8

; Prints a name; EAX and the rest stay.
%macro name 1
        push esi
        mov esi, %%text
        call print
        pop esi
        jmp %%after
%%text: db %1, 0
%%after:
%endmacro
%macro outb 2
        mov edx, %1
        mov al, %2
        out dx, al
%endmacro
; Reads a port and prints the byte.
%macro show 1
        mov edx, %1
        in al, dx
        call hex8
%endmacro

start:  mov esp, stack
        lgdt [gdtr]
        jmp 8:.cs
.cs:    mov ax, 16
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov fs, ax
        mov gs, ax
        mov eax, 0x11
        mov cr0, eax
        call set_idt
        call set_pic

; --- what finds a 16550A
        outb COM1 + 3, 0x03           ; 8 data bits, DLAB clear
        outb COM1 + 1, 0
        outb COM1 + 4, 0x0b
        name 'IER '
        outb COM1 + 1, 0xf0
        show COM1 + 1
        outb COM1 + 1, 0
        call newline
        name 'SCR '
        outb COM1 + 7, 0xa5
        show COM1 + 7
        call newline
        name 'IIR '
        outb COM1 + 2, 0
        show COM1 + 2
        outb COM1 + 2, 0xc7
        show COM1 + 2
        call newline
        name 'divisor '
        outb COM1 + 3, 0x83
        outb COM1, 0x34
        outb COM1 + 1, 0x12
        show COM1
        show COM1 + 1
        outb COM1, 1
        outb COM1 + 1, 0
        outb COM1 + 3, 0x03
        show COM1 + 1
        call newline
        name 'MCR '
        outb COM1 + 4, 0xff
        show COM1 + 4
        call newline
        name 'FIFO '                  ; 20 bytes into 16
        outb COM1 + 4, 0x10
        outb COM1 + 2, 0x07
        mov ecx, 20
.fill:  mov edx, COM1
        mov al, cl
        out dx, al
        loop .fill
        show COM1 + 5
        show COM1 + 5                 ; the error is told once
        xor ecx, ecx
.drain: mov edx, COM1 + 5
        in al, dx
        test al, 1
        jz .empty
        mov edx, COM1
        in al, dx
        call hex8
        inc ecx
        jmp .drain
.empty: mov al, cl
        call hex8
        call newline
        outb COM1 + 4, 0x0b

; --- bytes to COM1, each from the interrupt for the one before
        mov dword [next], text
        outb COM1 + 2, 0x07
        outb COM1 + 1, 0x02
.sends: sti
        hlt                           ; nothing is taken between the two
        cli
        cmp byte [sent], 0
        je .sends
        outb COM1 + 1, 0
        name 'interrupts for a text of '
        mov al, text_end - text
        call hex8
        mov al, [serials]
        call hex8
        call newline

; --- the clock
        name 'clock set '
        outb 0x70, 0x0b
        outb 0x71, 0x82               ; SET, BCD, 24 hours
        mov esi, moment
        mov ecx, 7
.set:   lodsb
        out 0x70, al
        lodsb
        out 0x71, al
        loop .set
        mov esi, moment
        mov ecx, 7
.get:   lodsb
        out 0x70, al
        in al, 0x71
        call hex8
        lodsb
        loop .get
        outb 0x70, 0x0c
        in al, 0x71
        call newline
        name 'update '                ; starts the clock; waits for two seconds to begin
        outb 0x70, 0x0b
        outb 0x71, 0x12
        mov byte [clocks], 0
.waits: sti
        hlt
        cli
        cmp byte [clocks], 2
        jb .waits
        mov al, [flags]
        and al, 0xb0
        call hex8
        outb 0x70, 0x07
        in al, 0x71
        call hex8                     ; the leap day
        outb 0x70, 0x08
        in al, 0x71
        call hex8
        call newline
        name 'periodic '
        outb 0x70, 0x0a
        outb 0x71, 0x2a               ; 64 Hz
        outb 0x70, 0x0b
        outb 0x71, 0x42
        outb 0x70, 0x0c
        in al, 0x71
        mov byte [clocks], 0
.ticks: sti
        hlt
        cli
        cmp byte [clocks], 5
        jb .ticks
        mov al, [flags]
        and al, 0xc0
        call hex8
        outb 0x70, 0x0b
        outb 0x71, 0x02
        call newline
        name 'memory '
        outb 0x70, 0x15
        in al, 0x71
        call hex8
        outb 0x70, 0x16
        in al, 0x71
        call hex8
        outb 0x70, 0x30
        in al, 0x71
        call hex8
        outb 0x70, 0x31
        in al, 0x71
        call hex8
        outb 0x70, 0x0d
        in al, 0x71
        call hex8
        call newline

; --- the keyboard controller
        name 'controller '
        mov al, 0xad
        call command
        mov al, 0xa7
        call command
.flush: in al, 0x64
        test al, 1
        jz .quiet
        in al, 0x60
        jmp .flush
.quiet: mov al, 0xaa
        call command
        call receive
        mov al, 0xab
        call command
        call receive
        mov al, 0x60
        call command
        mov al, 0x04                  ; no interrupts, no translation
        out 0x60, al
        mov al, 0x20
        call command
        call receive
        mov al, 0xd0
        call command
        call receive
        call newline
        name 'keyboard '
        mov al, 0xae
        call command
        mov al, 0xff
        out 0x60, al
        call receive
        call receive
        mov al, 0xf2
        out 0x60, al
        call receive
        call receive
        call receive
        mov al, 0xee
        out 0x60, al
        call receive
        mov al, 0xf0
        out 0x60, al
        call receive
        mov al, 0
        out 0x60, al
        call receive
        call receive
        call newline
        name 'mouse '
        mov al, 0xa8
        call command
        mov al, 0xff
        call mouse
        call receive
        call receive
        mov al, 0xf2
        call mouse
        call receive
        call newline

; --- PCI
        name 'PCI '
        mov ebx, 0x80000000
        call config
        mov ebx, 0x80000008
        call config
        mov ebx, 0x80000800
        call config
        mov ebx, 0x80000808
        call config
        mov ebx, 0x8000f800
        call config
        mov ebx, 0x00000000
        call config
        mov edx, 0xcf8
        in eax, dx
        call hex32
        call newline

; --- QEMU's device for tests
        name 'testdev '
        mov eax, 0x87654321
        out 0xe0, eax
        mov ax, 0x9abc
        out 0xe2, ax
        in eax, 0xe0
        call hex32
        in al, 0xe1
        call hex8
        mov edi, 0xff000123
        mov eax, 0x11223344
        mov [edi], eax
        mov byte [edi + 2], 0x55
        mov eax, [edi - 1]
        call hex32
        mov edx, 0x2005               ; line 5, which is nobody else's
        mov byte [fives], 0
        sti
        call pulse
        call pulse
        cli
        mov al, [fives]
        call hex8
        call newline

        xor eax, eax
        xor ebx, ebx
        xor ecx, ecx
        xor edx, edx
        xor ebp, ebp
        xor esi, esi
        xor edi, edi
        out 0xf4, al
        cli
        hlt

config: mov edx, 0xcf8
        mov eax, ebx
        out dx, eax
        mov edx, 0xcfc
        in eax, dx
        jmp hex32

; Line 5 goes high and low; QEMU takes interrupts at the ends of its blocks.
pulse:  mov al, 1
        out dx, al
        mov ecx, 10
        loop $
        mov al, 0
        out dx, al
        ret

command:push eax
.full:  in al, 0x64
        test al, 2
        jnz .full
        pop eax
        out 0x64, al
        ret
mouse:  push eax
        mov al, 0xd4
        call command
        pop eax
        out 0x60, al
; Waits for a byte and prints it.
receive:in al, 0x64
        test al, 1
        jz receive
        in al, 0x60
        jmp hex8

; --- handlers
serial: push eax
        push edx
        mov edx, COM1 + 2
        in al, dx                     ; answers the interrupt
        and al, 0x0f
        cmp al, 2
        jne .over
        inc byte [serials]
        push esi
        mov esi, [next]
        cmp esi, text_end
        je .end
        lodsb
        mov [next], esi
        mov edx, COM1
        out dx, al
        jmp .on
.end:   mov byte [sent], 1
.on:    pop esi
.over:  mov al, 0x20
        out 0x20, al
        pop edx
        pop eax
        iretd
clock:  push eax
        mov al, 0x0c
        out 0x70, al
        in al, 0x71
        mov [flags], al
        inc byte [clocks]
        mov al, 0x20
        out 0xa0, al
        out 0x20, al
        pop eax
        iretd
five:   push eax
        inc byte [fives]
        mov al, 0x20
        out 0x20, al
        pop eax
        iretd

; Lines 0 to 7 at vectors 20H.., 8 to 15 at 28H..; open are 2, 4, 5 and 8.
set_pic:outb 0x20, 0x11
        outb 0xa0, 0x11
        outb 0x21, 0x20
        outb 0xa1, 0x28
        outb 0x21, 0x04
        outb 0xa1, 0x02
        outb 0x21, 0x01
        outb 0xa1, 0x01
        outb 0x21, 0xcb
        outb 0xa1, 0xfe
        ret

set_idt:mov eax, serial
        mov edi, idt + 0x24 * 8
        call .gate
        mov eax, five
        mov edi, idt + 0x25 * 8
        call .gate
        mov eax, clock
        mov edi, idt + 0x28 * 8
        call .gate
        lidt [idtr]
        ret
.gate:  mov [edi], ax
        mov word [edi + 2], 8
        mov word [edi + 4], 0x8e00
        shr eax, 16
        mov [edi + 6], ax
        ret

; --- printing on port E9H
print:  push eax
.next:  lodsb
        test al, al
        jz .done
        out 0xe9, al
        jmp .next
.done:  pop eax
        ret
newline:mov al, 10
        out 0xe9, al
        ret
hex32:  push eax
        shr eax, 24
        call digits
        mov eax, [esp]
        shr eax, 16
        call digits
        mov eax, [esp]
        shr eax, 8
        call digits
        pop eax
; AL and a space. EAX stays.
hex8:   call digits
        push eax
        mov al, ' '
        out 0xe9, al
        pop eax
        ret
digits: push eax
        push eax
        shr al, 4
        call .one
        pop eax
        and al, 15
        call .one
        pop eax
        ret
.one:   cmp al, 10
        sbb al, 0x69
        das                           ; the classic conversion of a digit
        out 0xe9, al
        ret

moment: db 0x32, 0x20, 0x09, 0x24, 0x08, 0x02, 0x07, 0x28, 0x04, 0x23, 0x02, 0x59, 0x00, 0x59
text:   db 'Every byte is sent by the interrupt for the one before.', 13, 10
text_end:
align 8
gdt:    dq 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
gdtr:   dw $ - gdt - 1
        dd gdt
idtr:   dw 0x30 * 8 - 1
        dd idt
next:   dd 0
sent:   db 0
serials:db 0
clocks: db 0
flags:  db 0
fives:  db 0
align 8
idt:    times 0x30 dq 0
        times 256 dd 0
stack:
end:
