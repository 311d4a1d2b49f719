# Registers this Windows machine with AWS Systems Manager, as a managed node. The SSM
# agent must be installed. Run it in PowerShell as an administrator:
#
#   powershell -ExecutionPolicy Bypass -File register-windows.ps1 [-Replace]
#
# A machine that is registered stays as it is, unless -Replace is given. The agent
# empties its vault before it calls AWS. So the script copies the vault first, and
# restores it when the registration fails. When the script is killed, the next run
# restores it. Every end starts the agent's service again, if it ran or the machine
# is registered.
#
# Exit codes:
#   0  the machine is registered, and its service runs: it was registered before
#      and nothing changed, or it is registered now and AWS has answered its agent
#   1  an error that the script does not expect; the agent's state is as it was
#   3  not run as an administrator; nothing was changed
#   4  the agent is missing; nothing was changed
#   5  another run is under way, or the agent that a killed run started
#   6  the agent did not register the machine; its state is as it was
#   7  the machine is registered and its service runs, but AWS has not answered the
#      agent in time; it may still
#   8  the agent's service could not be stopped or started
#   9  the agent's state could not be copied; nothing was changed
#  10  the agent's state could not be restored; the copy is kept, run it once more
param([switch]$Replace)
$ErrorActionPreference = 'Stop'

$activationId = @activation_id@
$activationCode = @activation_code@
$region = @region@

# The one place that names what is outside of this script.
$data = Join-Path $env:ProgramData 'Amazon\SSM'
$agent = Join-Path $env:ProgramFiles 'Amazon\SSM\amazon-ssm-agent.exe'
$serviceKey = 'HKLM:\SYSTEM\CurrentControlSet\Services\AmazonSSMAgent'
$reportSeconds = 90

$service = 'AmazonSSMAgent'
$state = Join-Path $data 'InstanceData'
$vault = Join-Path $state 'Vault'
$registration = Join-Path $state 'registration'
$identity = Join-Path (Join-Path $data 'runtimeconfig') 'identity_config.json'
# The copy is on the volume of the vault: a rename restores it, which needs no space.
# The copy .new is not complete yet, the copy .done is not needed any more.
$backup = Join-Path $state 'ssm-access-backup'
# A run that stops the service leaves this file until the service runs again.
$wasRunning = Join-Path $state 'ssm-access-was-running'
$lockFile = Join-Path $state 'ssm-access-register.lock'

$script:exitCode = 1
$script:keepRunning = $false
$script:lock = $null

function Stop-Run([int]$Code, [string]$Message) {
    $script:exitCode = $Code
    throw $Message
}

function Test-Administrator {
    $user = [Security.Principal.WindowsIdentity]::GetCurrent()
    return ([Security.Principal.WindowsPrincipal]$user).IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)
}

# Lock-Run lets one run at a time pass. The agent of a killed run does not hold the
# lock, so Stop-Agent waits for that one.
function Lock-Run {
    New-Item -ItemType Directory -Force -Path $state | Out-Null
    try {
        $script:lock = [IO.File]::Open($lockFile, 'OpenOrCreate', 'ReadWrite', 'None')
    } catch {
        Stop-Run 5 'Another run of this script is under way. Wait until it ends, and run the script once more.'
    }
}

# Get-InstanceId gives the id of the node that a vault holds, and '' when it holds
# none that the agent could use. The file registration names a node long after.
function Get-InstanceId([string]$Path) {
    try {
        $key = Join-Path (Join-Path $Path 'Store') 'RegistrationKey'
        if (-not (Test-Path -LiteralPath (Join-Path $Path 'Manifest') -PathType Leaf)) { return '' }
        $held = Get-Content -LiteralPath $key -Raw | ConvertFrom-Json
        if ($held.privateKey -and $held.region -and $held.instanceID -match '^mi-[0-9a-f]{8,64}$') { return $held.instanceID }
    } catch {
        return ''
    }
    return ''
}

function Test-AgentRuns { return (Get-Service -Name $service).Status -eq 'Running' }

function Stop-Agent {
    if (Test-AgentRuns) {
        $script:keepRunning = $true
        New-Item -ItemType File -Force -Path $wasRunning | Out-Null
    }
    try {
        Stop-Service -Name $service
    } catch {
        Stop-Run 8 "The service $service could not be stopped, and nothing was changed: $_"
    }
    if (Get-Process -Name 'amazon-ssm-agent' -ErrorAction SilentlyContinue) {
        Stop-Run 5 'An agent that a killed run of this script started still registers this machine. Wait until it ends, and run the script once more.'
    }
}

function Start-Agent {
    foreach ($try in 1..3) {
        try {
            Start-Service -Name $service
            return $true
        } catch {
            if ($try -lt 3) { Start-Sleep -Seconds 1 }
        }
    }
    return $false
}

# Restore-State ends what a killed run began: it restores the copy that the run left,
# unless the vault makes the machine a node. Then the agent had not emptied it yet and
# may have renewed its key since, or had registered the machine.
function Restore-State {
    foreach ($left in "$backup.new", "$backup.done") {
        if (Test-Path -LiteralPath $left) { Remove-Item -LiteralPath $left -Recurse -Force }
    }
    if (Test-Path -LiteralPath $wasRunning) { $script:keepRunning = $true }
    if (-not (Test-Path -LiteralPath $backup)) { return }
    Write-Output "An earlier run of this script was killed. Its copy of the agent's state is in $backup."
    Stop-Agent
    if (-not (Test-Path -LiteralPath (Join-Path $backup 'restoring'))) {
        $new = Get-InstanceId $vault
        if ($new) {
            Write-Output "The machine is registered as $new, so the copy is deleted."
            Remove-Backup
            return
        }
    }
    try {
        Restore-Backup
    } catch {
        Stop-Run 10 "The agent's state could not be restored from ${backup}: $_ Run this script once more."
    }
    Write-Output "The agent's state is as it was before that run."
}

# Save-State copies the vault and the file registration. The rename at the end makes
# the copy count: until then, nothing was changed.
function Save-State {
    $new = "$backup.new"
    try {
        New-Item -ItemType Directory -Path $new | Out-Null
        # SYSTEM and administrators only; what is copied into it inherits that.
        & icacls.exe $new /inheritance:r /grant:r '*S-1-5-18:(OI)(CI)F' '*S-1-5-32-544:(OI)(CI)F' | Out-Null
        if ($LASTEXITCODE -ne 0) { throw "icacls ended with code $LASTEXITCODE." }
        New-Item -ItemType File -Path (Join-Path $new 'intact') | Out-Null
        if (Test-Path -LiteralPath $vault) {
            New-Item -ItemType File -Path (Join-Path $new 'had-vault') | Out-Null
            Copy-Item -LiteralPath $vault -Destination (Join-Path $new 'Vault') -Recurse -Force
        }
        if (Test-Path -LiteralPath $registration) {
            New-Item -ItemType File -Path (Join-Path $new 'had-registration') | Out-Null
            Copy-Item -LiteralPath $registration -Destination (Join-Path $new 'registration') -Force
        }
        Move-Item -LiteralPath $new -Destination $backup
    } catch {
        $problem = $_
        Remove-Item -LiteralPath $new -Recurse -Force -ErrorAction SilentlyContinue
        Stop-Run 9 "The agent's state in $state could not be copied, and nothing was changed: $problem"
    }
}

# Use-Proxy gives this process the proxy settings of the agent's service, and returns
# what to put back afterwards. Settings of the caller win.
function Use-Proxy {
    $names = 'http_proxy', 'https_proxy', 'no_proxy'
    $former = @{}
    if ($env:http_proxy -or $env:https_proxy) { return $former }
    $key = Get-ItemProperty -Path $serviceKey -Name Environment -ErrorAction SilentlyContinue
    if (-not $key) { return $former }
    foreach ($setting in $key.Environment) {
        $name, $value = $setting -split '=', 2
        if ($names -contains $name) {
            $former[$name] = [Environment]::GetEnvironmentVariable($name)
            [Environment]::SetEnvironmentVariable($name, $value)
        }
    }
    return $former
}

# Register-Machine has the agent register the machine, and believes the vault, not
# the agent. It returns the id of the node.
function Register-Machine([string]$Old) {
    $former = Use-Proxy
    try {
        & $agent -register -y -code $activationCode -id $activationId -region $region | Out-Host
        $code = $LASTEXITCODE
    } finally {
        foreach ($name in $former.Keys) { [Environment]::SetEnvironmentVariable($name, $former[$name]) }
    }
    if ($code -ne 0) { Stop-Run 6 "The agent did not register the machine; it ended with code $code. Its message is above." }
    $new = Get-InstanceId $vault
    if (-not $new -or $new -eq $Old) { Stop-Run 6 'The agent did not register the machine: its vault holds no new node.' }
    return $new
}

# Restore-Backup puts back what Save-State copied. Each step is a rename and may be
# repeated, so that it can be killed at any point.
function Restore-Backup {
    $restoring = Join-Path $backup 'restoring'
    if (-not (Test-Path -LiteralPath $restoring)) { Move-Item -LiteralPath (Join-Path $backup 'intact') -Destination $restoring }
    if (Test-Path -LiteralPath (Join-Path $backup 'had-vault')) {
        $copy = Join-Path $backup 'Vault'
        if (Test-Path -LiteralPath $copy) {
            $failed = Join-Path $backup 'failed'
            if (Test-Path -LiteralPath $failed) { Remove-Item -LiteralPath $failed -Recurse -Force }
            if (Test-Path -LiteralPath $vault) { Move-Item -LiteralPath $vault -Destination $failed }
            Move-Item -LiteralPath $copy -Destination $vault
        }
    } elseif (Test-Path -LiteralPath $vault) {
        Remove-Item -LiteralPath $vault -Recurse -Force
    }
    if (Test-Path -LiteralPath (Join-Path $backup 'had-registration')) {
        $copy = Join-Path $backup 'registration'
        if (Test-Path -LiteralPath $copy) { Move-Item -LiteralPath $copy -Destination $registration -Force }
    } elseif (Test-Path -LiteralPath $registration) {
        Remove-Item -LiteralPath $registration -Force
    }
    Remove-Backup
}

function Remove-Backup {
    if (Test-Path -LiteralPath "$backup.done") { Remove-Item -LiteralPath "$backup.done" -Recurse -Force }
    Move-Item -LiteralPath $backup -Destination "$backup.done"
    Remove-Item -LiteralPath "$backup.done" -Recurse -Force -ErrorAction SilentlyContinue
}

# Wait-Report waits until the agent has credentials of its node, which AWS gives to no
# other.
function Wait-Report([string]$New) {
    for ($waited = 0; $waited -le $reportSeconds; $waited++) {
        try {
            $text = [IO.File]::ReadAllText($identity)
            if ($text.Contains("`"InstanceId`":`"$New`"") -and $text -match '"CredentialsExpiresAt":"[1-9]') {
                Write-Output "This machine is registered as $New, and AWS has answered its agent."
                return
            }
        } catch {
            Write-Verbose 'The agent has not written yet what it knows of itself.'
        }
        Start-Sleep -Seconds 1
    }
    Stop-Run 7 "The machine is registered as $New and its service runs, but AWS has not answered the agent within $reportSeconds seconds. See the log in $data\Logs."
}

# Complete-Run runs however the script ends.
function Complete-Run {
    if (-not $script:lock) { return }
    if (Test-Path -LiteralPath $backup) {
        try {
            Restore-Backup
            Write-Output "The agent's state was restored. Registered as: $(Get-InstanceId $vault)"
        } catch {
            $script:exitCode = 10
            Write-Output "The agent's state could not be restored. The copy is in ${backup}: run this script once more. $_"
        }
    }
    if ($script:keepRunning -and -not (Test-AgentRuns) -and -not (Start-Agent)) {
        Write-Output "The service $service does not start."
        if ($script:exitCode -eq 0) { $script:exitCode = 8 }
    } else {
        Remove-Item -LiteralPath $wasRunning -Force -ErrorAction SilentlyContinue
    }
    $script:lock.Dispose()
}

try {
    if (-not (Test-Administrator)) { Stop-Run 3 'Run this script as an administrator.' }
    if (-not (Test-Path -LiteralPath $agent)) { Stop-Run 4 'Install the SSM agent first.' }
    Lock-Run
    Restore-State
    $old = Get-InstanceId $vault
    if ($old) { $script:keepRunning = $true }
    if ($old -and -not $Replace) {
        Write-Output "This machine is registered as $old already, and nothing was changed. To register it once more, as another node, run the script with -Replace."
    } else {
        if ($old) { Write-Output "This machine is registered as $old. It becomes another node; deregister $old afterwards." }
        Stop-Agent
        Save-State
        Write-Output "Registering this machine in $region."
        $new = Register-Machine $old
        $script:keepRunning = $true
        Remove-Backup
        if (-not (Start-Agent)) { Stop-Run 8 "The machine is registered as $new, but the service $service does not start." }
        Wait-Report $new
    }
    $script:exitCode = 0
} catch {
    Write-Output "$_"
} finally {
    Complete-Run
}
exit $script:exitCode
