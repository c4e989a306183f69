; Multiboot 1. Access rights of 4-level paging: every combination of R/W, U/S and XD in one entry on the way to a page (the
; others allow everything), for pages of 4 KBytes, 2 MBytes and 1 GByte, under every combination of EFER.NXE, CR4.SMEP,
; CR4.SMAP, CR0.WP, RFLAGS.AC and five states of protection key 1: reading, writing and executing as user and supervisor.
;
; A line for each entry, its rights and NXE: page (0 4 KBytes, 1 2 MBytes, 2 1 GByte), entry (0 the PML4E), rights (1 R/W,
; 2 U/S, 4 executable), NXE, a colon, and a character an access: 16 groups of control bits (1 SMEP, 2 SMAP, 4 WP, 8 AC) of
; 5 keys (CR4.PKE with AD/WD 00, 01, 10, 11, then without) of 6 accesses (read, write, fetch as supervisor, then as user).
; '.' went through; '@' plus bits 5:1 of the error code: #PF; '!': #PF with another address in CR2.
bits 32
org 0x100000
PML4    equ 0x180000
PDPT    equ 0x181000          ; of the first GByte
PD      equ 0x182000
TPDPT   equ 0x183000          ; of the pages that are tried
TPD     equ 0x184000
TPT     equ 0x185000
FRAME   equ 0x200000          ; what they map
USER    equ 0x400000          ; code of level 3
STACK   equ 0x190000          ; in a page without code
header: dd 0x1badb002, 0x00010000, -(0x1badb002 + 0x00010000)
        dd header, 0x100000, end, end, start
start:  cld
        mov esp, STACK
        mov edi, PML4
        xor eax, eax
        mov ecx, 0x6000 / 4
        rep stosd
        mov dword [PML4], PDPT | 7
        mov dword [PDPT], PD | 7
        mov dword [PD], 0x83              ; the first 2 MBytes belong to the supervisor
        mov dword [PD + 16], USER | 0x87
        mov word [FRAME], 0x80cd          ; INT 80H
        mov esi, stubs
        mov edi, USER
        mov ecx, stubs_end - stubs
        rep movsb
        lgdt [gdtr]
        mov eax, 0x20                     ; PAE
        mov cr4, eax
        mov eax, PML4
        mov cr3, eax
        mov ecx, 0xc0000080
        mov eax, 0x100                    ; LME
        xor edx, edx
        wrmsr
        mov eax, 0x80000031
        mov cr0, eax
        jmp 8:wide
bits 64
wide:   mov eax, 16
        mov ds, eax
        mov es, eax
        mov ss, eax
        xor eax, eax
        mov fs, eax
        mov gs, eax
        lidt [idtr]
        mov eax, 0x28
        ltr ax
        xor r8d, r8d          ; page size
page:   xor r9d, r9d          ; entry that restricts
entry:  xor r10d, r10d        ; its rights
rights: xor r11d, r11d        ; NXE
nxe:    call map
        mov ecx, 0xc0000080
        mov eax, r11d
        shl eax, 11
        or eax, 0x500
        xor edx, edx
        wrmsr
        mov rax, cr3          ; after NXE, so that nobody kept a translation with the other one
        mov cr3, rax
        mov al, r8b
        call digit
        mov al, r9b
        call digit
        mov al, r10b
        call digit
        mov al, r11b
        call digit
        mov al, ':'
        out 0xe9, al
        xor r12d, r12d        ; SMEP, SMAP, WP, AC
control:
        xor r13d, r13d        ; key
key:    call apply
        xor r14d, r14d        ; access
access: xor eax, eax
        mov cr2, rax
        mov edx, r12d         ; AC
        and edx, 8
        shl edx, 15
        or edx, 2
        cmp r14d, 3
        jae user
        push rdx
        popfq
        lea rcx, [routes]
        mov eax, [rcx + r14 * 4]
        jmp rax
user:   push qword 0x23
        push qword 0
        push rdx
        push qword 0x1b
        lea rcx, [places_of_stubs]
        mov eax, [rcx + r14 * 4 - 12]
        push rax
        iretq
supervisor_read:
        mov al, [rbx + 8]
        int 0x80
supervisor_write:
        mov [rbx + 8], al
        int 0x80
supervisor_fetch:
        jmp rbx
passed: mov al, '.'
        jmp report
fault:  pop rax
        mov rdx, cr2
        cmp r14d, 2           ; only an instruction lies at the start of the page
        je .fetch
        cmp r14d, 5
        je .fetch
        sub rdx, 8
.fetch: cmp rdx, rbx
        jne .wrong
        shr eax, 1
        add al, '@'
        jmp report
.wrong: mov al, '!'
report: mov esp, STACK
        out 0xe9, al
        inc r14d
        cmp r14d, 6
        jb access
        inc r13d
        cmp r13d, 5
        jb key
        inc r12d
        cmp r12d, 16
        jb control
        mov al, 10
        out 0xe9, al
        inc r11d
        cmp r11d, 2
        jb nxe
        inc r10d
        cmp r10d, 8
        jb rights
        inc r9d
        lea rcx, [counts]
        cmp r9b, [rcx + r8]
        jb entry
        inc r8d
        cmp r8d, 3
        jb page
        mov eax, 0x20         ; leave what does not depend on who ran it
        mov cr4, rax
        xor eax, eax
        mov cr2, rax
        push qword 2
        popfq
        xor ebx, ebx
        xor ecx, ecx
        xor edx, edx
        xor esi, esi
        xor edi, edi
        xor ebp, ebp
        xor eax, eax
        out 0xf4, al
        cli
        hlt

; RBX is the linear address; all entries allow everything but the one at place [R8 * 4 + R9].
map:    mov qword [abs PML4 + 8], TPDPT | 7
        mov qword [abs TPDPT], TPD | 7
        mov qword [abs TPD], TPT | 7
        mov rax, FRAME | 7 | (1 << 59)
        mov [abs TPT], rax
        or al, 0x80
        mov [abs TPD + 8], rax
        mov rax, 0x87 | (1 << 59)
        mov [abs TPDPT + 8], rax
        lea rcx, [linear]
        mov rbx, [rcx + r8 * 8]
        lea rcx, [places]
        lea eax, [r8d * 4 + r9d]
        mov edi, [rcx + rax * 4]
        mov rax, [rdi]
        and al, 0xf9
        mov edx, r10d
        and edx, 3
        shl edx, 1
        or al, dl
        test r10b, 4
        jnz .executable
        bts rax, 63
.executable:
        mov [rdi], rax
        ret

; CR4 and CR0 of R12 and R13, PKRU of R13.
apply:  mov eax, 0x400020     ; PKE, PAE
        mov cr4, rax
        mov eax, r13d
        cmp r13d, 4
        jb .pkru
        mov eax, 3            ; without PKE the register counts for nothing
.pkru:  shl eax, 2
        xor ecx, ecx
        xor edx, edx
        wrpkru
        mov edx, r12d
        and edx, 3
        shl edx, 20           ; SMEP, SMAP
        or edx, 0x20
        cmp r13d, 4
        je .cr4
        or edx, 0x400000
.cr4:   mov cr4, rdx
        mov eax, r12d
        and eax, 4
        shl eax, 14           ; WP
        or eax, 0x80000031
        mov cr0, rax
        ret

digit:  add al, '0'
        out 0xe9, al
        ret

; Copied to pages of level 3.
stubs:
user_read:
        mov al, [rbx + 8]
        int 0x80
user_write:
        mov [rbx + 8], al
        int 0x80
user_fetch:
        jmp rbx
stubs_end:

align 8
linear: dq 1 << 39, (1 << 39) + 0x200000, (1 << 39) + 0x40200000
places: dd PML4 + 8, TPDPT, TPD, TPT
        dd PML4 + 8, TPDPT, TPD + 8, 0
        dd PML4 + 8, TPDPT + 8
counts: db 4, 3, 2
align 8
routes: dd supervisor_read, supervisor_write, supervisor_fetch
places_of_stubs:
        dd USER, USER + user_write - stubs, USER + user_fetch - stubs
align 8
gdt:    dq 0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0x00affb000000ffff, 0x00cff3000000ffff
        dw 0x67, (tss - header) & 0xffff
        db ((tss - header + 0x100000) >> 16) & 0xff, 0x89, 0, 0
        dq 0
gdtr:   dw gdtr - gdt - 1
        dq gdt
%macro gate 2
        dw (%1 - header) & 0xffff, 8
        db 0, %2
        dw (%1 - header + 0x100000) >> 16
        dq 0
%endmacro
align 8
idt:    times 14 dq 0, 0
        gate fault, 0x8e
        times 0x80 - 15 dq 0, 0
        gate passed, 0xee
idtr:   dw idtr - idt - 1
        dq idt
align 16
tss:    dd 0
        dq STACK
        times 0x68 - 12 db 0
end:
