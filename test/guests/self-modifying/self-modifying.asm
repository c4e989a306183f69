; Code that is written while it runs: the next instruction, one further on in the same block, one behind, in the same page, in
; another page, over a page boundary, through another linear address, by a string instruction, by another processor.
%include 'long.asm'
%include 'smp.asm'
main:
        PRINT 'next instruction:'
        mov byte [.next + 1], 7
.next:  mov al, 1
        movzx eax, al
        HEX rax, 2
        call newline

        PRINT 'each time round a loop:'
        mov ecx, 4
.round: mov dl, 0
        mov eax, edx
        and eax, 0xff
        HEX rax, 2
        inc byte [.round + 1]
        dec ecx
        jnz .round
        call newline

        PRINT 'an instruction of another length:'
        mov ecx, 2
.again: xor eax, eax
        mov dword [.slot], 0x90c0ff90   ; nop; inc eax; nop
.slot:  inc eax
        inc eax
        HEX rax, 2
        mov dword [.slot], 0xc0ffc0ff
        loop .again
        call newline

        PRINT 'a function in another page:'
        call far_away
        HEX rax, 2
        mov dword [far_away + 1], 0x22
        call far_away
        HEX rax, 2
        mov byte [far_away + 5], 0x90   ; it goes on into the next instruction
        call far_away
        HEX rax, 2
        call newline

        PRINT 'over a page boundary:'
        call across
        HEX rax, 8
        mov byte [across + 3], 0x44     ; in the second page
        call across
        HEX rax, 8
        mov byte [across + 1], 0x55     ; in the first page
        call across
        HEX rax, 8
        call newline

        PRINT 'through another address:'
        mov eax, [directories]
        mov [directories + 8 * 511], eax ; 3FE00000H is page 0 too
        mov rax, cr3
        mov cr3, rax
        mov ebx, far_away + 0x3fe00000
        mov byte [rbx + 1], 0x66
        call far_away
        HEX rax, 2
        mov byte [far_away + 1], 0x77
        call rbx
        HEX rax, 2
        call newline

        PRINT 'by a string instruction that it is part of:'
        mov edi, .filled
        mov ecx, .end_of_filled - .filled
        mov al, 0x90
        xor ebx, ebx
        rep stosb
.filled:
        inc ebx
        inc ebx
        inc ebx
.end_of_filled:
        HEX rbx, 2
        call newline

        PRINT 'by a push:'
        mov rdx, rsp
        mov esp, .pushed + 8
        mov rax, 0x9090909090909090
        push rax
.pushed:
        inc ebx
        inc ebx
        inc ebx
        inc ebx
        mov rsp, rdx
        HEX rbx, 2
        call newline

        PRINT 'by an exchange with a lock:'
        mov eax, 0xc3
        lock xchg [far_away], al        ; RET
        mov ecx, eax
        mov eax, 0x99
        call far_away
        HEX rax, 2
        mov [far_away], cl
        call newline

        PRINT 'by a page that takes its place:'
        mov dword [directories + 8 * 510], 0x400087 ; 3FC00000H is the page at 4 MiB
        mov dword [0x400000], 0xc311b0   ; mov al, 11h; ret
        mov dword [0x600000], 0xc322b0
        mov rax, cr3
        mov cr3, rax
        mov ebx, 0x3fc00000
        xor eax, eax
        call rbx
        HEX rax, 2
        mov dword [directories + 8 * 510], 0x600087
        invlpg [rbx]
        call rbx
        HEX rax, 2
        call newline

        PRINT 'by another processor:'
        call start_processors
        WAIT_FOR ready, 1
        mov ecx, 5
.turn:  inc byte [far_away + 1]
        inc dword [asked]
.wait:  mov eax, [asked]
        cmp eax, [answered]
        pause
        jne .wait
        HEX [answer], 2
        loop .turn
        PRINT ' and here:'
        call far_away
        HEX rax, 2
        call newline
        mov dword [asked], 0x1000
        WAIT_FOR answered, 0x1000
        APIC_WRITE 0xf0, 0xff
        jmp finish

processor:
        lock inc dword [ready]
        xor esi, esi
.wait:  cmp esi, [asked]
        pause
        je .wait
        mov esi, [asked]
        cmp esi, 0x1000
        je .end
        cpuid                           ; code that another processor wrote needs it
        call far_away
        mov [answer], eax
        mov [answered], esi
        jmp .wait
.end:   mov [answered], esi
        jmp halt

align 4096
far_away:
        mov eax, 0x11
        ret
        add eax, 1
        ret
        times 4096 - 2 - ($ - far_away) nop
across: mov eax, 0x00333333
        ret
align 4096
ready:  dd 0
asked:  dd 0
answered: dd 0
answer: dd 0
%define STACKS 2
%include 'long-end.asm'
