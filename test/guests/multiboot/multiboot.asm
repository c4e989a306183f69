; What a multiboot kernel is told: the machine state at entry, the memory map, the command line and the modules.
; The file is an ELF32 executable whose headers are written out here, so that nasm alone builds it. Of the command line and
; of the modules' strings the folder is left out: it depends on where the repository lies.
;
; Built: nasm -f bin -o multiboot.elf multiboot.asm

LOAD    equ 0x100000
BSS     equ 0x8000
MAGIC   equ 0x1badb002
FLAGS   equ 3                   ; modules on page boundaries, memory information

        bits 32
        org LOAD

elf:    db 0x7f, 'ELF', 1, 1, 1
        times 9 db 0
        dw 2, 3                 ; ET_EXEC, EM_386
        dd 1, start, segment_header - elf, 0, 0
        dw 52, 32, 1, 0, 0, 0
segment_header:
        dd 1, 0, LOAD, LOAD, end - elf, end - elf + BSS, 7, 0x1000

        align 4
        dd MAGIC, FLAGS, -(MAGIC + FLAGS)

start:  mov esp, bss + BSS
        mov [saved_eax], eax
        mov [saved_ebx], ebx
        pushfd
        pop eax
        and eax, 0x20200        ; VM and IF
        mov [saved_flags], eax
        mov eax, cr0
        and eax, 0x80000001
        mov [saved_cr0], eax
        call machine_state
        call memory_size
        call command_line
        call modules
        call memory_map
        xor eax, eax
        out 0xf4, al
        xor ebx, ebx            ; where the information lies is the loader's choice
        xor ecx, ecx
        xor edx, edx
        xor esi, esi
        xor edi, edi
        xor ebp, ebp
        lgdt [gdt_pointer]      ; so that the selectors at the end are ours
        jmp 0x08:.ours
.ours:  mov eax, 0x10
        mov ds, eax
        mov es, eax
        mov fs, eax
        mov gs, eax
        mov ss, eax
        mov eax, 0x11
        mov cr0, eax
        xor eax, eax
        cmp eax, eax
        cli
.halt:  hlt
        jmp .halt

machine_state:
        mov esi, text_eax
        mov eax, [saved_eax]
        call line
        mov esi, text_flags
        mov eax, [saved_flags]
        call line
        mov esi, text_cr0
        mov eax, [saved_cr0]
        call line
        mov esi, text_cs        ; access rights of CS and SS: flat, 32 bits
        mov ebx, cs
        lar eax, ebx
        and eax, 0xf0feff       ; not the accessed bit, nor the bits that LAR leaves undefined
        call line
        mov esi, text_ss
        mov ebx, ss
        lar eax, ebx
        and eax, 0xf0feff
        call line
        mov esi, text_limit
        lsl eax, ebx
        call line
        ; With A20 masked, 1 MiB further up is the same byte.
        mov dword [bss], 0x12345678
        mov dword [bss + 0x100000], 0x9abcdef0
        mov esi, text_a20
        mov eax, [bss]
        mov dword [bss], 0
        mov dword [bss + 0x100000], 0
        jmp line

memory_size:
        mov ebx, [saved_ebx]
        mov esi, text_information
        mov eax, [ebx]
        call line
        mov esi, text_lower
        mov eax, [ebx + 4]
        call line
        mov esi, text_upper
        mov eax, [ebx + 8]
        call line
        mov esi, text_device
        mov eax, [ebx + 12]
        jmp line

command_line:
        mov esi, text_command
        call print
        mov esi, [ebx + 16]
        call print_without_folder
        jmp new_line

modules:
        mov ecx, [ebx + 20]
        mov edi, [ebx + 24]
.next:  jecxz .done
        mov esi, text_module
        call print
        mov eax, [edi + 4]      ; its length, and whether it begins a page
        sub eax, [edi]
        call print_hex
        mov al, ' '
        out 0xe9, al
        mov eax, [edi]
        and eax, 0xfff
        call print_hex
        mov al, ' '
        out 0xe9, al
        mov esi, [edi + 8]
        call print_without_folder
        call new_line
        mov esi, [edi]
        mov edx, [edi + 4]
.byte:  cmp esi, edx
        je .end
        lodsb
        out 0xe9, al
        jmp .byte
.end:   add edi, 16
        dec ecx
        jmp .next
.done:  ret

memory_map:
        mov edi, [ebx + 48]
        mov ebp, [ebx + 44]
        add ebp, edi
.next:  cmp edi, ebp
        jae .done
        mov esi, text_region
        call print
        mov eax, [edi + 8]
        call print_hex
        mov eax, [edi + 4]
        call print_hex
        mov al, ' '
        out 0xe9, al
        mov eax, [edi + 16]
        call print_hex
        mov eax, [edi + 12]
        call print_hex
        mov al, ' '
        out 0xe9, al
        mov eax, [edi + 20]
        call print_hex
        call new_line
        add edi, [edi]
        add edi, 4
        jmp .next
.done:  ret

; ESI: text, EAX: number
line:   push eax
        call print
        pop eax
        call print_hex
new_line:
        mov al, 10
        out 0xe9, al
        ret

; Text with the first word cut after its last slash.
print_without_folder:
        mov edx, esi
.scan:  lodsb
        cmp al, ' '
        jbe .found
        cmp al, '/'
        jne .scan
        mov edx, esi
        jmp .scan
.found: mov esi, edx
print:  lodsb
        test al, al
        jz .done
        out 0xe9, al
        jmp print
.done:  ret

print_hex:
        push ecx
        push edx
        mov edx, eax
        mov ecx, 8
.digit: rol edx, 4
        mov eax, edx
        and eax, 15
        mov al, [digits + eax]
        out 0xe9, al
        loop .digit
        pop edx
        pop ecx
        ret

digits: db '0123456789abcdef'
text_eax: db 'EAX ', 0
text_flags: db 'VM, IF ', 0
text_cr0: db 'PG, PE ', 0
text_cs: db 'access rights of CS ', 0
text_ss: db 'access rights of SS ', 0
text_limit: db 'limit of SS ', 0
text_a20: db 'after a store 1 MiB further up ', 0
text_information: db 'information ', 0
text_lower: db 'KiB from 0 ', 0
text_upper: db 'KiB from 1 MiB ', 0
text_device: db 'boot device ', 0
text_command: db 'command line ', 0
text_module: db 'module ', 0
text_region: db 'region ', 0

        align 8
gdt:    dq 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
gdt_pointer:
        dw 23
        dd gdt

        align 4
saved_eax: dd 0
saved_ebx: dd 0
saved_flags: dd 0
saved_cr0: dd 0
end:
bss     equ end
