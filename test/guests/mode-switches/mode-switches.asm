; Multiboot 1. The way from real-address mode through 16-bit and 32-bit protected mode to 64-bit and compatibility mode, and
; back, on one stack: what the bytes of an instruction mean in each mode, what an INT pushes, and which parts of a segment
; register outlive the mode that loaded them. The second round also pages in 32-bit mode, with 32-bit entries and with PAE,
; leaves 64-bit mode through 16-bit compatibility mode, and has its real-mode vectors elsewhere. On COM1.
;
; Left out is what QEMU's TCG does not do: it checks no limit of a segment.
LOAD    equ 0x100000            ; where the loader puts it; it copies itself to 8000H, for the modes of 16 bits
ALIAS   equ 0x40000000          ; mapped to 0 by every kind of paging
PML4    equ 0x10000
PDPT    equ 0x11000             ; of 4-level paging
PD      equ 0x12000             ; its entries are those of PAE paging too
PDPTES  equ 0x13000             ; of PAE paging
PD32    equ 0x14000
STACK   equ 0x7000

CODE32  equ 0x08                ; selectors
DATA32  equ 0x10
CODE64  equ 0x18
CODE16  equ 0x20
DATA16  equ 0x28
BASED   equ 0x30                ; begins at `marker`

%macro MODE 1                   ; the size of code from here on
        bits %1
        %define B %1
%endmacro
%macro READ 2                   ; a control register
%if B == 64
        mov r%1, %2
%else
        mov e%1, %2
%endif
%endmacro
%macro FLAGS 0                  ; EFLAGS to EAX
%if B == 64
        pushfq
        pop rax
%else
        pushfd
        pop eax
%endif
%endmacro
%macro TELL 1-2                 ; text and a value; EAX, ECX, EDX, ESI and EBP are lost
%if %0 == 2
        mov eax, %2
%endif
        jmp %%go
%%text: db %1, 0
%%go:   mov esi, %%text
        call line %+ B
%endmacro

; What can be seen of a mode.
%macro SEE 1
        TELL %1, B
        READ ax, cr0
        and eax, 0x80000001     ; PG, PE
        TELL ' CR0 '
        READ ax, cr4
        TELL ' CR4 '
        mov ecx, 0xc0000080
        rdmsr
        TELL ' EFER '
        mov eax, cs
        TELL ' CS '
        mov ecx, 5
        db 0xb8, 0x11, 0x22, 0x31, 0xc9 ; MOV EAX, or MOV AX and XOR CX, CX
        TELL ' operands ', ecx
        mov eax, 7
        db 0x48, 0xff, 0xc1     ; DEC and INC, or INC RCX
        TELL ' 48H ', eax
        mov ebx, 0x200
        mov edi, 0x100
        xor eax, eax
        db 0x8d, 0x47, 5        ; LEA of BX+5, EDI+5 or RDI+5
        TELL ' addresses '
        mov edi, esp
        db 0x50                 ; PUSH
        mov eax, edi
        sub eax, esp
        mov esp, edi
        TELL ' pushes '
        INTERRUPT
%endmacro
%macro INTERRUPT 0
        sti
        mov ebx, esp
        int 0x40
        FLAGS
        cli
        and eax, 0x200
        TELL ' IF after it ', eax
%endmacro
; A 16-bit stack segment leaves the high half of ESP alone.
%macro HIGH_HALF 0
        or esp, 0xabcd0000
        push ax
        mov eax, esp
        pop bx
        movzx esp, sp
        TELL ' ESP '
%endmacro
%macro LIMIT 1
        mov ebx, %1
        xor eax, eax
        lsl eax, ebx
        TELL ' limit '
%endmacro
%macro EFER 1
        mov ecx, 0xc0000080
        xor edx, edx
        mov eax, %1
        wrmsr
%endmacro
%macro PAGING 2                 ; CR4 and CR3
        mov eax, %1
        mov cr4, eax
        mov eax, %2
        mov cr3, eax
        mov eax, 0x80000011
        mov cr0, eax
%endmacro
%macro NO_PAGING 0
        mov eax, 0x11
        mov cr0, eax
%endmacro

; A line, and what INT 40H leads to, for each size of code.
%macro ROUTINES 0
line %+ B:
        mov ebp, eax
        mov dx, 0x3f8
        cld
.next:  lodsb
        test al, al
        jz .number
        out dx, al
        jmp .next
.number:
        mov ecx, 8
.digit: rol ebp, 4
        mov eax, ebp
        and al, 15
        add al, '0'
        cmp al, '9'
        jbe .out
        add al, 'a' - '9' - 1
.out:   out dx, al
        loop .digit
        mov al, 10
        out dx, al
        ret

handler %+ B:
        sub ebx, esp
        TELL ' INT pushes ', ebx
        FLAGS
        and eax, 0x200
        TELL ' IF in it '
%if B == 16
        movzx eax, word [esp + 2]
        TELL ' its CS '
        movzx eax, word [esp + 4]
        and eax, 0x200
        TELL ' its IF '
        iret
%elif B == 32
        mov eax, [esp + 4]
        TELL ' its CS '
        mov eax, [esp + 8]
        and eax, 0x200
        TELL ' its IF '
        iretd
%else
        mov eax, [rsp + 8]
        TELL ' its CS '
        mov eax, [rsp + 16]
        and eax, 0x200
        TELL ' its IF '
        mov eax, [rsp + 32]
        TELL ' its SS '
        iretq
%endif
%endmacro

        org 0x8000
MODE 32
image:  dd 0x1badb002, 0x00010000, -(0x1badb002 + 0x00010000)
        dd LOAD, LOAD, LOAD + end - image, LOAD + end - image, LOAD + start - image
start:  cld
        mov esi, LOAD
        mov edi, image
        mov ecx, end - image
        rep movsb
        mov al, 0xff            ; no interrupt but ours
        out 0x21, al
        out 0xa1, al
        lgdt [gdtr]
        jmp CODE32:.copied
.copied:
        mov ax, DATA32
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov esp, STACK
        mov edi, PML4
        mov ecx, 5 * 1024
        xor eax, eax
        rep stosd
        mov dword [PML4], PDPT + 3
        mov dword [PDPT], PD + 3
        mov dword [PDPT + 8], PD + 3
        mov dword [PD], 0x83
        mov dword [PDPTES], PD + 1
        mov dword [PDPTES + 8], PD + 1
        mov dword [PD32], 0x83
        mov dword [PD32 + (ALIAS >> 20)], 0x83
        mov dword [0x40 * 4], handler16
        jmp CODE16:.leave
MODE 16
.leave: mov ax, DATA16
        mov ds, ax
        mov es, ax
        mov fs, ax
        mov gs, ax
        mov ss, ax
        mov eax, 0x10
        mov cr0, eax
        jmp 0:.real
.real:  xor ax, ax
        mov ds, ax
        mov es, ax
        mov fs, ax
        mov gs, ax
        mov ss, ax
        lidt [ivt]

%macro ROUND 1
MODE 16
        SEE `real-address mode `
        HIGH_HALF
        push word 0x1111
        mov eax, 0x11
        mov cr0, eax
        mov eax, cs
        TELL ' PE is 1, CS '    ; no far jump yet: the code is what it was
        jmp CODE16:%%protected16
%%protected16:
        lidt [idt16]
        mov ax, DATA16
        mov ds, ax
        mov ss, ax
        xor ax, ax
        mov es, ax
        mov fs, ax
        SEE `protected mode `
        HIGH_HALF
        LIMIT DATA16
        push word 0x2222
        jmp dword CODE32:%%protected32

MODE 32
%%protected32:
        lidt [idt32]
        mov ax, DATA32
        mov ds, ax
        mov ss, ax
        mov es, ax              ; ES and FS stay so until the real mode that follows
        mov ax, BASED
        mov fs, ax
        SEE `protected mode `
        LIMIT DATA32
        LIMIT BASED
        push dword 0x33333333
%if %1 == 2
        PAGING 0x10, PD32
        SEE `32-bit paging `
        TELL ' alias ', [ALIAS + marker]
        NO_PAGING
        PAGING 0x20, PDPTES
        SEE `PAE paging `
        TELL ' alias ', [ALIAS + marker]
        NO_PAGING
%endif
        EFER 0x100
        lidt [idt64]
        PAGING 0x20, PML4
        jmp CODE64:%%long

MODE 64
%%long: SEE `64-bit mode `
        TELL ' alias ', [ALIAS + marker]
        mov rax, 0x5555555544444444
        push rax
%if %1 == 1
        push CODE32
        push %%compatibility
        retfq
MODE 32
%%compatibility:
        SEE `compatibility mode `
        TELL ' alias ', [ALIAS + marker]
        LIMIT DATA32
        NO_PAGING
        EFER 0
%else
        push CODE16
        push %%compatibility
        retfq
MODE 16
%%compatibility:
        SEE `compatibility mode `
        LIMIT DATA16
        NO_PAGING               ; LME stays
        jmp dword CODE32:%%back
MODE 32
%endif
%%back: lidt [idt32]
        SEE `protected mode again `
        pop eax
        TELL ' popped '
        pop eax
        TELL ' popped '
        pop eax
        TELL ' popped '
%if %1 == 2
        EFER 0
        PAGING 0x20, PDPTES
        SEE `PAE paging again `
        TELL ' alias ', [ALIAS + marker]
        NO_PAGING
%endif
        xor eax, eax
        mov cr4, eax
        mov cr3, eax
        jmp CODE16:%%back16

MODE 16
%%back16:
        lidt [idt16]
        mov ax, DATA16
        mov ds, ax
        mov ss, ax
        SEE `protected mode again `
        HIGH_HALF
        pop bx
        movzx eax, bx
        TELL ' popped '
        mov eax, 0x10
        mov cr0, eax
        jmp 0:%%back_real
%%back_real:
        lidt [ivt %+ %1]
        mov ax, ds
        TELL ' PE is 0, DS '    ; no load yet: the selector is what it was
        xor ax, ax
        mov ds, ax
        mov ss, ax
        SEE `real-address mode again `
        HIGH_HALF
        pop bx
        movzx eax, bx
        TELL ' popped '
        movzx eax, sp
        TELL ' SP '
        mov eax, [es:dword LOAD]
        TELL ' ES as loaded '
        xor ax, ax
        mov es, ax
        mov eax, [es:dword LOAD]
        TELL ' selector 0 '     ; sets the base, keeps the limit
        mov eax, [fs:0]
        TELL ' FS as loaded '
        xor ax, ax
        mov fs, ax
        mov eax, [fs:marker]
        TELL ' selector 0 '
%endmacro
        ROUND 1
        mov dword [moved + 0x40 * 4], handler16.other
        ROUND 2

        xor eax, eax
        out 0xf4, al
        xor ebx, ebx
        xor ecx, ecx
        xor edx, edx
        xor esi, esi
        xor edi, edi
        xor ebp, ebp
        mov gs, ax
        test eax, eax
        cli
.halt:  hlt
        jmp .halt

MODE 16
        ROUTINES
.other: push ebx                ; of the vectors that were moved
        TELL ' moved ', 1
        pop ebx
        jmp handler16
MODE 32
        ROUTINES
MODE 64
        ROUTINES

        align 16
gdt:    dq 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00af9b000000ffff, 0x00009b000000ffff, 0x000093000000ffff
        dw 0xffff, marker, 0x9300, 0
gdtr:   dw gdtr - gdt - 1
        dd gdt
; Of each table there is the one entry that is used.
ivt:
ivt1:   dw 0x3ff
        dd 0
ivt2:   dw 0x40 * 4 + 3
        dd moved
idt16:  dw 0x40 * 8 + 7
        dd gate16 - 0x40 * 8
idt32:  dw 0x40 * 8 + 7
        dd gate32 - 0x40 * 8
idt64:  dw 0x40 * 16 + 15
        dd gate64 - 0x40 * 16, 0
gate16: dw handler16, CODE16, 0x8600, 0
gate32: dw handler32, CODE32, 0x8e00, 0
gate64: dw handler64, CODE64, 0x8e00, 0, 0, 0, 0, 0
marker: dd 0xfeedf00d
end:
moved   equ 0x5000
