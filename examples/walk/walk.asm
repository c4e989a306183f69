; Switching on VMX as machine code, in the steps of walk.ts: NASM source of walk.bin. Loaded at 0x100000 and entered there
; in 64-bit mode, with memory mapped to itself. It writes one line to the debug console (port 0xE9), reports 0 or 1 at the
; debug exit (port 0xF4), and halts.
;
; Section titles are those of the Intel SDM.

        bits    64
        org     0x100000

VMXON_REGION            equ     0x200000
VMCS_REGION             equ     0x201000
STACK_TOP               equ     0x8000

IA32_FEATURE_CONTROL    equ     0x3A
LOCK_AND_ENABLE         equ     1 << 0 | 1 << 2
IA32_VMX_BASIC          equ     0x480
CR0_PE_NE_PG            equ     1 << 0 | 1 << 5 | 1 << 31
CR4_VMXE                equ     1 << 13

GUEST_RIP               equ     0x681E          ; the encoding of a VMCS field
CONSOLE                 equ     0xE9
DEBUG_EXIT              equ     0xF4

start:
        mov     esp, STACK_TOP

; Firmware's part. The MSR can be written only while its lock is 0 ("Enabling and Entering VMX Operation").
        mov     ecx, IA32_FEATURE_CONTROL
        rdmsr
        test    eax, 1
        jnz     check_control_register_0
        or      eax, LOCK_AND_ENABLE
        wrmsr

; 1. Protected mode with paging, and CR0.NE ("Restrictions on VMX Operation").
check_control_register_0:
        mov     rax, cr0
        mov     ecx, CR0_PE_NE_PG
        and     eax, ecx
        cmp     eax, ecx
        jne     failed

; 2. CR4.VMXE: while it is 0, VMXON is #UD ("Enabling and Entering VMX Operation").
        mov     rax, cr4
        or      eax, CR4_VMXE
        mov     cr4, rax

; 3. A zeroed, aligned page with the revision identifier, bits 30:0 of IA32_VMX_BASIC, at its start ("VMXON Region").
        mov     edi, VMXON_REGION
        call    prepare_region

; 4. VMXON reads the physical address from memory ("VMXON—Enter VMX Operation"). CF or ZF would say VMfail.
        vmxon   [vmxon_pointer]
        jbe     failed

; 5. A first VMCS ("Initializing a VMCS").
        mov     edi, VMCS_REGION
        call    prepare_region
        vmclear [vmcs_pointer]
        jbe     failed
        vmptrld [vmcs_pointer]
        jbe     failed

        mov     edx, GUEST_RIP
        mov     ecx, 0x1000
        vmwrite rdx, rcx
        jbe     failed
        vmread  rax, rdx
        jbe     failed
        cmp     rax, rcx
        jne     failed

; What was active is written back before VMX operation ends ("VMXOFF—Leave VMX Operation").
        vmclear [vmcs_pointer]
        jbe     failed
        vmxoff
        jbe     failed

        mov     esi, done_text
        xor     ebx, ebx
        jmp     report

failed:
        mov     esi, failed_text
        mov     ebx, 1

; Prints the text at RSI and ends with the status in EBX.
report:
        mov     al, [rsi]
        test    al, al
        jz      finish
        out     CONSOLE, al
        inc     rsi
        jmp     report
finish:
        mov     eax, ebx
        out     DEBUG_EXIT, al
        cli
stop:
        hlt
        jmp     stop

; Clears the page at RDI and writes the revision identifier at offset 0. Changes RAX, RCX and RDX.
prepare_region:
        mov     ecx, 4096
clear_next:
        mov     qword [rdi + rcx - 8], 0
        sub     ecx, 8
        jnz     clear_next
        mov     ecx, IA32_VMX_BASIC
        rdmsr
        and     eax, 0x7FFFFFFF
        mov     [rdi], eax
        ret

        align   8
vmxon_pointer:  dq      VMXON_REGION
vmcs_pointer:   dq      VMCS_REGION
done_text:      db      "VMX operation: entered, used and left", 10, 0
failed_text:    db      "VMX operation: failed", 10, 0
