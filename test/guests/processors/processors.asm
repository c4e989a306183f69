; Four processors: how the others start, and counters that all of them raise at once by each kind of locked instruction.
; Then interrupts between them. What is printed is the same in whatever order they run.
%include 'long.asm'
%include 'smp.asm'
%define OTHERS 3
%define ROUNDS 300
main:
        call start_processors
        WAIT_FOR ready, OTHERS
        PRINT 'processors that came:'
        HEX [ready], 2
        call newline
        xor r15d, r15d
        inc dword [go]
        call contend
        WAIT_FOR done, OTHERS + 1
        PRINT 'LOCK XADD:'
        HEX [added], 8
        PRINT ' sum of what it returned:'
        HEX [returned], 8
        call newline
        PRINT 'LOCK INC:'
        HEX [increased], 8
        call newline
        PRINT 'LOCK CMPXCHG:'
        HEX [exchanged], 8
        call newline
        PRINT 'LOCK CMPXCHG16B:'
        HEX [wide], 8
        HEX [wide + 8], 8
        call newline
        PRINT 'under a lock by XCHG:'
        HEX [guarded], 8
        call newline
        PRINT 'under a lock by LOCK BTS:'
        HEX [guarded_by_bit], 8
        call newline
        PRINT 'by tickets:'
        HEX [guarded_by_ticket], 8
        PRINT ' out of turn:'
        HEX [out_of_turn], 2
        call newline

        ; interrupts to all others, and back
        mov qword [table + 0x40 * 8], answer
        mov qword [table + 0x41 * 8], count
        mov qword [table + 2 * 8], nmi
        inc dword [go]
        WAIT_FOR asleep, OTHERS
        APIC_WRITE 0x300, 0xc4040
        sti
        WAIT_FOR answers, OTHERS
        cli
        PRINT 'answers:'
        HEX [answers], 2
        call newline
        APIC_WRITE 0x300, 0xc4400
        WAIT_FOR nmis, OTHERS
        PRINT 'NMIs:'
        HEX [nmis], 2
        call newline
        WAIT_FOR asleep, 0
        APIC_WRITE 0xf0, 0xff
        jmp finish

processor:
        APIC_WRITE 0xf0, 0x1ff
        lock inc dword [ready]
        WAIT_FOR go, 1
        call contend
        WAIT_FOR go, 2
        mov edi, asleep
        lock inc dword [rdi]
.sleep: sti
        hlt
        cli
        cmp dword [nmis], 0
        je .sleep
        ; the others' NMIs may not have come yet
        WAIT_FOR nmis, OTHERS
        APIC_WRITE 0xf0, 0xff
        lock dec dword [asleep]
        jmp halt

contend:
        mov ecx, ROUNDS
.round: mov eax, 1
        lock xadd [added], rax
        lock add [returned], rax
        lock inc qword [increased]
.again: mov rax, [exchanged]
        lea rbx, [rax + 1]
        lock cmpxchg [exchanged], rbx
        jne .again
        mov esi, ecx
        mov rax, [wide]
        mov rdx, [wide + 8]
.pair:  lea rbx, [rax + 1]
        lea rcx, [rdx + 3]
        lock cmpxchg16b [wide]
        jne .pair
        mov ecx, esi
.spin:  mov eax, 1
        xchg [lock_word], eax
        test eax, eax
        jz .locked
        pause
        jmp .spin
.locked:
        mov rax, [guarded]
        inc rax
        mov [guarded], rax
        mov dword [lock_word], 0
.bit:   lock bts dword [bits_word], 5
        jnc .owned
        pause
        jmp .bit
.owned: mov rax, [guarded_by_bit]
        inc rax
        mov [guarded_by_bit], rax
        lock btr dword [bits_word], 5
        mov eax, 1
        lock xadd [tickets], eax
.turn:  cmp eax, [serving]
        je .mine
        pause
        jmp .turn
.mine:  mov rdx, [guarded_by_ticket]
        cmp edx, eax
        je .inturn
        inc dword [out_of_turn]
.inturn:
        inc rdx
        mov [guarded_by_ticket], rdx
        inc dword [serving]
        dec ecx
        jnz .round
        lock inc dword [done]
        ret

; At the others: an interrupt back to the first, by its ID.
answer: APIC_WRITE 0xb0, 0
        APIC_WRITE 0x310, 0
        ; one at a time: an interrupt that waits already is not counted twice
.mine:  mov eax, 1
        xchg [lock_word], eax
        test eax, eax
        jnz .mine
        mov ebx, [answers]
        APIC_WRITE 0x300, 0x4041
.taken: cmp ebx, [answers]
        je .taken
        mov dword [lock_word], 0
        ret
count:  inc dword [answers]
        APIC_WRITE 0xb0, 0
        ret
nmi:    lock inc dword [nmis]
        ret

align 4096                      ; no store is to a page of code
wide:   dq 0, 0
added:  dq 0
returned: dq 0
increased: dq 0
exchanged: dq 0
guarded: dq 0
guarded_by_bit: dq 0
guarded_by_ticket: dq 0
lock_word: dd 0
bits_word: dd 0
tickets: dd 0
serving: dd 0
out_of_turn: dd 0
ready:  dd 0
go:     dd 0
done:   dd 0
asleep: dd 0
answers: dd 0
nmis:   dd 0
%define STACKS OTHERS + 1
%include 'long-end.asm'
