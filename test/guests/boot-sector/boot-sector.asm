; What a boot sector finds: real-address mode, the drive in DL, the address, A20, and the part of the BIOS data area that
; programs read. It calls no BIOS. Built: nasm -f bin -o boot-sector.bin boot-sector.asm
        bits 16
        org 0x7c00

start:  mov [saved_dx], dx
        call here
here:   pop bx                  ; IP of this instruction: 7Cxx, if it was entered at 0000:7C00
        mov ax, cs
        mov si, text_cs
        call line
        mov ax, bx
        and ax, 0xff00
        mov si, text_ip
        call line
        mov ax, [saved_dx]
        and ax, 0xff
        mov si, text_dl
        call line
        smsw ax
        and ax, 1
        mov si, text_pe
        call line
        mov ax, [0x40e]
        mov si, text_extended
        call line
        mov ax, [0x413]
        mov si, text_base
        call line
        mov ax, [0x400]
        mov si, text_com1
        call line
        mov ax, 0xffff          ; FFFF:7E10 is 107E00H with A20, 7E00H without
        mov es, ax
        mov word [0x7e00], 0x1234
        mov word [es:0x7e10], 0x5678
        mov ax, [0x7e00]
        mov si, text_a20
        call line
        xor ax, ax
        out 0xf4, al
        mov es, ax
        mov ds, ax
        mov ss, ax
        mov fs, ax
        mov gs, ax
        mov eax, 0x10
        mov cr0, eax
        xor ebx, ebx
        xor ecx, ecx
        xor edx, edx
        xor esi, esi
        xor edi, edi
        xor ebp, ebp
        mov esp, 0x7c00
        xor eax, eax
        cli
.halt:  hlt
        jmp .halt

; SI: text, AX: number
line:   push ax
.next:  lodsb
        test al, al
        jz .number
        out 0xe9, al
        jmp .next
.number:
        pop dx
        mov cx, 4
.digit: rol dx, 4
        mov al, dl
        and al, 15
        cmp al, 10
        jb .out
        add al, 'a' - '0' - 10
.out:   add al, '0'
        out 0xe9, al
        loop .digit
        mov al, 10
        out 0xe9, al
        ret

text_cs: db 'CS ', 0
text_ip: db 'page of IP ', 0
text_dl: db 'DL ', 0
text_pe: db 'PE ', 0
text_extended: db 'segment of the extended BIOS data area ', 0
text_base: db 'KiB of base memory ', 0
text_com1: db 'port of COM1 ', 0
text_a20: db 'after a store 1 MiB further up ', 0
saved_dx: dw 0
        times 510 - ($ - $$) db 0
        db 0x55, 0xaa
