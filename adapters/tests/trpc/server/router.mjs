// The procedures of LobeHub that a client of its gateway calls, on the real stack: tRPC, superjson as transformer, zod as
// validator. What they know of agents is made up; how they answer is not.
import { initTRPC, TRPCError } from '@trpc/server';
import superjson from 'superjson';
import { z } from 'zod';

// LobeHub's formatter: what a cause carries as `data` goes along as `errorData`.
const trpc = initTRPC.context().create({
  transformer: superjson,
  errorFormatter: ({ shape, error }) => {
    const errorData = error.cause && 'data' in error.cause ? error.cause.data : undefined;
    return errorData === undefined ? shape : { ...shape, data: { ...shape.data, errorData } };
  },
});

// A topic of the name `throw:FORBIDDEN` makes any procedure throw.
const thrown = (name) => {
  if (name === 'PLAIN') return new Error('the database is away');
  if (name !== 'QUOTA') return new TRPCError({ code: name, message: `thrown: ${name}` });
  const cause = Object.assign(new Error('over quota'), { data: { limit: 3 } });
  return new TRPCError({ code: 'FORBIDDEN', message: 'over quota', cause });
};

const signedIn = trpc.procedure.use(async ({ ctx, getRawInput, next }) => {
  if (!ctx.user) throw new TRPCError({ code: 'UNAUTHORIZED' });
  const input = await getRawInput();
  const [, name] = /^throw:(\w+)$/.exec(input?.topicId ?? input?.id) ?? [];
  if (name) throw thrown(name);
  return next();
});

const appContext = z.object({
  agentId: z.string().nullish(),
  documentId: z.string().nullish(),
  groupId: z.string().nullish(),
  initialTopicMetadata: z
    .object({ repos: z.array(z.string()), workingDirectory: z.string().optional() })
    .optional(),
  scope: z.string().nullish(),
  threadId: z.string().nullish(),
  topicId: z.string().nullish(),
});

const execAgent = z
  .object({
    agentId: z.string().optional(),
    appContext: appContext.optional(),
    autoStart: z.boolean().optional().default(true),
    fileIds: z.array(z.string()).optional(),
    parentMessageId: z.string().optional(),
    prompt: z.string(),
    resumeApproval: z
      .object({
        decision: z.enum(['approved', 'rejected', 'rejected_continue']),
        parentMessageId: z.string(),
        rejectionReason: z.string().optional(),
        toolCallId: z.string(),
      })
      .optional(),
    slug: z.string().optional(),
    trigger: z.string().optional(),
    userInterventionConfig: z
      .object({
        allowList: z.array(z.string()).optional(),
        approvalMode: z.enum(['auto-run', 'allow-list', 'manual', 'headless']).optional(),
      })
      .optional(),
  })
  .refine((input) => input.agentId || input.slug, { message: 'One of agentId or slug must be provided' });

const rowOf = ({ id, running }) => ({ id, metadata: { runningOperation: running }, createdAt: new Date(0) });

export const makeRouter = (world) =>
  trpc.router({
    aiAgent: trpc.router({
      execAgent: signedIn.input(execAgent).mutation(async ({ input }) => {
        const agentId = input.agentId ?? 'agt_inbox';
        const context = { agentId, assistantMessageId: 'msg_2', autoStarted: input.autoStart };
        if (input.prompt === 'fail softly') {
          const ids = { operationId: 'op_failed', topicId: 'tpc_failed' };
          return { ...context, ...ids, error: 'no model', status: 'error', success: false };
        }
        if (input.prompt === 'throw') {
          throw new TRPCError({ code: 'INTERNAL_SERVER_ERROR', message: 'Failed to execute agent: boom' });
        }
        const operation = await world.start(input);
        return {
          ...context,
          createdAt: new Date(0).toISOString(),
          message: 'Agent operation created successfully',
          operationId: operation.id,
          status: 'created',
          success: true,
          timestamp: new Date(0).toISOString(),
          token: input.prompt === 'no token' ? undefined : operation.token,
          topicId: operation.topic,
          userMessageId: 'msg_1',
        };
      }),
      getOperationStatus: signedIn
        .input(
          z.object({
            historyLimit: z.number().optional(),
            includeHistory: z.boolean().optional(),
            operationId: z.string(),
          }),
        )
        .query(({ input }) => {
          const operation = world.operations.get(input.operationId);
          if (!operation) return null;
          const { status, error } = operation;
          return {
            // A date, a hole and a number that JSON has not: superjson's `meta` comes along with them.
            currentState: { status, error, createdAt: new Date(0), cost: undefined, usage: Number.NaN },
            hasError: status === 'error',
            isActive: status === 'running',
            operationId: operation.id,
          };
        }),
      interruptTask: signedIn
        .input(
          z.object({
            operationId: z.string().optional(),
            threadId: z.string().optional(),
            topicId: z.string().optional(),
          }),
        )
        .mutation(({ input }) => {
          if (!input.operationId && !input.threadId) {
            throw new TRPCError({ code: 'BAD_REQUEST', message: 'Either threadId or operationId must be provided' });
          }
          return { operationId: input.operationId, success: world.interrupt(input.operationId) };
        }),
      refreshGatewayToken: signedIn.input(z.object({ topicId: z.string() })).query(({ input }) => {
        const topic = world.topics.get(input.topicId);
        if (!topic?.running) {
          throw new TRPCError({ code: 'NOT_FOUND', message: 'No running operation found on this topic' });
        }
        return { token: world.token };
      }),
    }),
    config: trpc.router({
      getGlobalConfig: trpc.procedure.query(() => ({
        serverConfig: { agentGatewayUrl: world.gateway, enableGatewayMode: world.gatewayMode, telemetry: undefined },
        serverFeatureFlags: {},
      })),
    }),
    message: trpc.router({
      getMessages: signedIn
        .input(
          z.object({
            agentId: z.string().nullish(),
            current: z.number().optional(),
            groupId: z.string().nullish(),
            pageSize: z.number().optional(),
            sessionId: z.string().nullish(),
            threadId: z.string().nullish(),
            topicId: z.string().nullish(),
          }),
        )
        .query(({ input }) => {
          const rows = world.messages.get(input.topicId) ?? [];
          const row = { createdAt: new Date(0), role: 'user' };
          return rows.map((content, index) => ({ ...row, content, id: `msg_${index + 1}` }));
        }),
    }),
    topic: trpc.router({
      getTopicDetail: signedIn.input(z.object({ id: z.string() })).query(({ input }) => {
        const topic = world.topics.get(input.id);
        return topic ? rowOf(topic) : null;
      }),
      // Older servers have no compare-and-clear.
      ...(world.settles && {
        settleRunningOperation: signedIn
          .input(z.object({ id: z.string(), operationId: z.string(), status: z.string().optional() }))
          .mutation(({ input }) => {
            const topic = world.topics.get(input.id);
            const settled = topic?.running?.operationId === input.operationId;
            if (settled) topic.running = null;
            return { settled };
          }),
      }),
      updateTopicMetadata: signedIn
        .input(
          z.object({
            id: z.string(),
            metadata: z.object({ runningOperation: z.object({ operationId: z.string() }).nullable().optional() }),
          }),
        )
        .mutation(({ input }) => {
          const topic = world.topics.get(input.id);
          if (!topic) return [];
          if (input.metadata.runningOperation !== undefined) topic.running = input.metadata.runningOperation;
          return [rowOf(topic)];
        }),
    }),
  });
