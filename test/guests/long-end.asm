; What `long.asm` needs behind the guest's own code: stubs, tables and memory.
align 16
stubs:
%assign vector 0
%rep 256
align 16
%if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21)
        push 0
%endif
        push vector
        jmp near arrive
%assign vector vector + 1
%endrep
align 16
gdt:    dq 0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0x00cf9b000000ffff, 0x00cf13000000ffff
        dq 0x0000890000000067, 0
gdtr:   dw gdtr - gdt - 1
        dd gdt, 0
idtr:   dw 4095
        dd idt, 0
align 4096
tss:    dd 0
        dq 0, 0, 0, 0
        dq stack_ist, 0, 0, 0, 0, 0, 0
        dw 0, 0, 0, 0x68
resume: dq 0
base:   dq 0
image_end:
absolute $
        alignb 4096
pml4:   resb 4096
pdpt:   resb 4096
directories: resb 4 * 4096
idt:    resb 4096
table:  resb 2048
        resb 2048
stack_ist:
        resb 8192
stack:
%ifdef STACKS
stacks: resb STACKS * STACK_BYTES
%endif
memory_end:
