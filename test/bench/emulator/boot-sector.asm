; A boot sector for emulators that boot from a disk only: loads the multiboot image that follows it on the disk to 1 MiB,
; and enters it as the Multiboot Specification, version 0.6.96, "Machine state" says. There is no multiboot information
; beside an empty block, no a.out-kludge address but 1 MiB, and no error message: a disk that cannot be read stops here.
bits 16
org 0x7c00

SECTORS equ 127                  ; of the image: what one call of most BIOSes reads at the most
BUFFER  equ 0x1000               ; segment

start:  cli
        xor ax, ax
        mov ds, ax
        mov ss, ax
        mov sp, 0x7c00
        mov si, packet
        mov ah, 0x42             ; extended read; DL is the disk that was booted
        int 0x13
        jc stop
        in al, 0x92              ; A20
        or al, 2
        out 0x92, al
        lgdt [gdtr]
        mov eax, cr0
        or al, 1
        mov cr0, eax
        jmp 8:protected
stop:   hlt
        jmp stop

bits 32
protected:
        mov ax, 16
        mov ds, ax
        mov es, ax
        mov fs, ax
        mov gs, ax
        mov ss, ax
        cld
        mov esi, BUFFER * 16
        mov edi, 0x100000
        mov ecx, SECTORS * 128
        rep movsd
        mov edi, information
        xor eax, eax
        mov ecx, 32
        rep stosd
        mov eax, 0x2badb002
        mov ebx, information
        jmp [0x100000 + 28]      ; entry_addr of the header, which is at the beginning of the image

        align 8
gdt:    dq 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
gdtr:   dw $ - gdt - 1
        dd gdt
packet: db 16, 0
        dw SECTORS, 0, BUFFER
        dq 1                     ; the sector behind this one

        times 510 - ($ - $$) db 0
        dw 0xaa55

information equ 0x7e00
